// SPDX-License-Identifier: MIT
// Talks to the echo server in each way that Java has.

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

public class Client {
	static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

	interface Way {
		String talk(InetSocketAddress server) throws IOException;
	}

	static String text(byte[] data, int length) {
		return new String(data, 0, length, StandardCharsets.UTF_8);
	}

	static String exchange(Socket socket) throws IOException {
		byte[] answer = new byte[100];
		socket.getOutputStream().write(HELLO);
		return text(answer, socket.getInputStream().read(answer));
	}

	static String socket(InetSocketAddress server) throws IOException {
		try (Socket socket = new Socket(server.getAddress(),
				server.getPort())) {
			return exchange(socket);
		}
	}

	static String socketWithTimeout(InetSocketAddress server)
			throws IOException {
		try (Socket socket = new Socket()) {
			socket.connect(server, 900000);
			return exchange(socket);
		}
	}

	static String socketBound(InetSocketAddress server)
			throws IOException {
		try (Socket socket = new Socket()) {
			socket.bind(new InetSocketAddress(server.getAddress(), 0));
			socket.connect(server);
			return exchange(socket);
		}
	}

	static String socketChannel(InetSocketAddress server)
			throws IOException {
		try (SocketChannel channel = SocketChannel.open(server)) {
			ByteBuffer answer = ByteBuffer.allocate(100);
			channel.write(ByteBuffer.wrap(HELLO));
			int length = channel.read(answer);
			return text(answer.array(), length);
		}
	}

	static String datagramSocket(InetSocketAddress server)
			throws IOException {
		try (DatagramSocket socket = new DatagramSocket()) {
			byte[] answer = new byte[100];
			DatagramPacket packet = new DatagramPacket(answer, 100);
			socket.setSoTimeout(900000);
			socket.send(new DatagramPacket(HELLO, HELLO.length,
				server));
			socket.receive(packet);
			return text(answer, packet.getLength());
		}
	}

	static String datagramChannel(InetSocketAddress server)
			throws IOException {
		try (DatagramChannel channel = DatagramChannel.open()) {
			ByteBuffer answer = ByteBuffer.allocate(100);
			channel.connect(server);
			channel.write(ByteBuffer.wrap(HELLO));
			int length = channel.read(answer);
			return text(answer.array(), length);
		}
	}

	static String datagramChannelSend(InetSocketAddress server)
			throws IOException {
		try (DatagramChannel channel = DatagramChannel.open()) {
			ByteBuffer answer = ByteBuffer.allocate(100);
			channel.send(ByteBuffer.wrap(HELLO), server);
			channel.receive(answer);
			return text(answer.array(), answer.position());
		}
	}

	static String ownServer(InetSocketAddress address) throws IOException {
		try (ServerSocket server = new ServerSocket(0, 5,
				address.getAddress());
		     Socket client = new Socket(server.getInetAddress(),
				server.getLocalPort());
		     Socket connection = server.accept()) {
			byte[] answer = new byte[100];
			client.getOutputStream().write(HELLO);
			return text(answer,
				connection.getInputStream().read(answer));
		}
	}

	static String refused(InetSocketAddress server) {
		try {
			return socket(new InetSocketAddress(server.getAddress(),
				server.getPort() + 1));
		} catch (IOException e) {
			return e.getMessage();
		}
	}

	static void say(String what, String address, Way way, int port)
			throws IOException {
		InetAddress host = InetAddress.getByName(address);
		String answer = way.talk(new InetSocketAddress(host, port));
		System.out.println(what + " " + address + " " + answer);
	}

	public static void main(String[] words) throws IOException {
		int port = Integer.parseInt(words[0]);
		for (int i = 1; i < words.length; i++) {
			String host = words[i];
			for (int j = 0; j < 5; j++)
				say("Socket", host, Client::socket, port);
			say("Socket with a timeout", host,
				Client::socketWithTimeout, port);
			say("Socket, bound", host, Client::socketBound, port);
			say("SocketChannel", host, Client::socketChannel, port);
			say("DatagramSocket", host, Client::datagramSocket, port);
			say("DatagramChannel", host,
				Client::datagramChannel, port);
			say("DatagramChannel, send", host,
				Client::datagramChannelSend, port);
			say("ServerSocket", host, Client::ownServer, port);
			say("refused", host, Client::refused, port);
		}
	}
}
