// One end of a bare libdatachannel channel, by npm's node-datachannel: what bench/peers/pump.py describes, in JavaScript.
//   node node_peer.mjs FOLDER_OF_NODE_MODULES ADDRESS
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { PeerConnection } = createRequire(process.argv[2] + '/')('node-datachannel');

const MESSAGE = 16 * 1024;
const HIGH_WATER = 1024 * 1024;
const body = Buffer.alloc(MESSAGE - 8);
for (let i = 0; i < body.length; i++) body[i] = (i * 7 + (i >> 8)) & 255;

const say = answer => process.stdout.write(JSON.stringify(answer) + '\n');
const seconds = since => Number(process.hrtime.bigint() - since) / 1e9;

const pc = new PeerConnection('peer', {
  iceServers: [], bindAddress: process.argv[3], maxMessageSize: 262144, disableAutoNegotiation: true,
});
const channel = pc.createDataChannel('mayfly', { negotiated: true, id: 0, unordered: true });
channel.setBufferedAmountLowThreshold(HIGH_WATER / 2);

let low = () => {};
let pong = () => {};
let missing = new Set();
let size = 0;
let started = 0n;
const opened = new Promise(resolve => channel.onOpen(resolve));
channel.onBufferedAmountLow(() => low());
channel.onMessage(message => {
  const data = Buffer.from(message);
  if (data.length === MESSAGE) {
    if (!missing.delete(Number(data.readBigUInt64BE(0)))) throw new Error('a message was doubled');
    if (!data.subarray(8).equals(body)) throw new Error('a message came damaged');
    if (missing.size === 0) say({ received: size, seconds: seconds(started) });
  } else if (data.toString() === 'ping') {
    channel.sendMessageBinary(Buffer.from('pong'));
  } else if (data.toString() === 'pong') {
    pong();
  } else if (data.toString().startsWith('start')) {
    size = Number(data.toString().slice(5));
    missing = new Set(Array(size / MESSAGE).keys());
    started = process.hrtime.bigint();
  }
});

function gathered() {
  return new Promise(resolve => {
    const look = () => pc.gatheringState() === 'complete' && resolve(pc.localDescription().sdp);
    pc.onGatheringStateChange(look);
    look();
  });
}

async function roundTrip() {
  await opened;
  const since = process.hrtime.bigint();
  const back = new Promise(resolve => { pong = resolve; });
  channel.sendMessageBinary(Buffer.from('ping'));
  await back;
  return seconds(since);
}

async function send(bytes) {
  const messages = Math.ceil(bytes / MESSAGE);
  await opened;
  channel.sendMessageBinary(Buffer.from('start' + messages * MESSAGE));
  await roundTrip();
  for (let number = 0; number < messages; number++) {
    const head = Buffer.alloc(8);
    head.writeBigUInt64BE(BigInt(number));
    channel.sendMessageBinary(Buffer.concat([head, body]));
    if (channel.bufferedAmount() > HIGH_WATER) {
      await new Promise(resolve => {
        low = resolve;
        if (channel.bufferedAmount() <= HIGH_WATER / 2) resolve();
      });
    }
  }
  return { sent: messages * MESSAGE };
}

async function carryOut(command) {
  switch (command.do) {
    case 'offer':
      pc.setLocalDescription('offer');
      return { description: await gathered() };
    case 'answer':
      pc.setRemoteDescription(command.offer, 'offer');
      pc.setLocalDescription('answer');
      return { description: await gathered() };
    case 'accept': {
      const since = process.hrtime.bigint();
      pc.setRemoteDescription(command.answer, 'answer');
      await opened;
      return { seconds: seconds(since) };
    }
    case 'send':
      return send(command.bytes);
    case 'ping': {
      const found = [];
      for (let i = 0; i < command.count; i++) found.push(await roundTrip());
      return { seconds: found };
    }
  }
  throw new Error('no such command: ' + command.do);
}

const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit(0));
for await (const line of lines) say(await carryOut(JSON.parse(line)));
