// SPDX-License-Identifier: MIT
// Talks to the echo server in each way that Node.js has.

'use strict';

const dgram = require('dgram');
const http = require('http');
const net = require('net');

const [port, ...addresses] = process.argv.slice(2);

function tcp(options) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(options, () => socket.write('hello'));
		socket.on('data', (data) => {
			socket.end();
			resolve(data.toString());
		});
		socket.on('error', (error) => resolve(error.code));
	});
}

function udp(address, prepare) {
	return new Promise((resolve, reject) => {
		const family = net.isIPv6(address) ? 'udp6' : 'udp4';
		const socket = dgram.createSocket(family);
		socket.on('message', (data) => {
			socket.close();
			resolve(data.toString());
		});
		socket.on('error', (error) => resolve(error.code));
		prepare(socket);
	});
}

function ownServer(address) {
	return new Promise((resolve, reject) => {
		const server = http.createServer((request, response) => {
			response.end('hello');
			server.close();
		});
		server.listen(0, address, () => {
			const options = {
				host: address,
				port: server.address().port,
				agent: false,
			};
			http.get(options, (response) => {
				response.on('data',
					(data) => resolve(data.toString()));
			}).on('error', (error) => resolve(error.code));
		});
	});
}

async function main() {
	for (const host of addresses) {
		const say = (what, answer) => console.log(what, host, answer);
		for (let i = 0; i < 5; i++)
			say('tcp', await tcp({ host, port }));
		say('tcp bound', await tcp({ host, port, localAddress: host }));
		say('udp', await udp(host,
			(socket) => socket.send('hello', port, host)));
		say('udp connected', await udp(host,
			(socket) => socket.connect(port, host,
				() => socket.send('hello'))));
		say('udp bound', await udp(host,
			(socket) => socket.bind(0, host,
				() => socket.send('hello', port, host))));
		say('own server', await ownServer(host));
		say('refused', await tcp({ host, port: Number(port) + 1 }));
		const many = Array.from({ length: 30 },
			() => tcp({ host, port }));
		say('many', (await Promise.all(many)).join(' '));
	}
}

main();
