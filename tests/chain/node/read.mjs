// The second reading of the IDL: Anchor's own TypeScript client encodes instructions and decodes accounts and events.
// One JSON request on stdin, one JSON answer on stdout. Values travel as: integers decimal text, addresses and byte
// arrays hex, structs a list of their fields' values in order.
import { readFileSync } from "node:fs";
import anchor from "@anchor-lang/core";

const { BN, Program, web3 } = anchor;
const request = JSON.parse(readFileSync(0, "utf8"));
const program = new Program(request.idl, { connection: new web3.Connection("http://127.0.0.1:1") });
const key = (hex) => new web3.PublicKey(Buffer.from(hex, "hex"));
const struct = (name) => program.idl.types.find((type) => type.name === name).type;
const big = (type) => ["u64", "i64"].includes(type);
const bytesArray = (type) => type.array !== undefined && type.array[0] === "u8";

function fromWire(type, value) {
  if (type === "pubkey") return key(value);
  if (type === "bytes") return Buffer.from(value, "hex");
  if (type === "string") return value;
  if (big(type)) return new BN(value);
  if (typeof type === "string") return Number(value);
  if (bytesArray(type)) return [...Buffer.from(value, "hex")];
  const inner = type.vec ?? type.array?.[0];
  if (inner) return value.map((each) => fromWire(inner, each));
  const fields = struct(type.defined.name).fields;
  return Object.fromEntries(fields.map((field, index) => [field.name, fromWire(field.type, value[index])]));
}

function toWire(type, value) {
  if (type === "pubkey") return Buffer.from(value.toBytes()).toString("hex");
  if (bytesArray(type)) return Buffer.from(value).toString("hex");
  const inner = type.vec ?? type.array?.[0];
  if (inner) return value.map((each) => toWire(inner, each));
  if (typeof type === "string") return value.toString();
  return structToWire(type.defined.name, value);
}

function structToWire(name, value) {
  return struct(name).fields.map((field) => toWire(field.type, value[field.name]));
}

const meta = (each) => ({
  key: Buffer.from(each.pubkey.toBytes()).toString("hex"),
  signer: each.isSigner,
  writable: each.isWritable,
});

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

const instructions = [];
for (const wanted of request.instructions) {
  const described = program.idl.instructions.find((each) => each.name === camel(wanted.name));
  const args = described.args.map((arg, index) => fromWire(arg.type, wanted.args[index]));
  const accounts = Object.fromEntries(
    described.accounts.map((each, index) => [each.name, wanted.accounts[index] === null ? null : key(wanted.accounts[index])]),
  );
  const built = await program.methods[described.name](...args)
    .accountsStrict(accounts)
    .remainingAccounts(
      wanted.remaining.map((each) => ({ pubkey: key(each.key), isSigner: each.signer, isWritable: each.writable })),
    )
    .instruction();
  instructions.push({ data: built.data.toString("hex"), accounts: built.keys.map(meta) });
}

const lower = (name) => name[0].toLowerCase() + name.slice(1);
const accounts = request.accounts.map((each) =>
  structToWire(lower(each.name), program.coder.accounts.decode(lower(each.name), Buffer.from(each.data, "hex"))),
);
const events = request.events.map((each) => {
  const decoded = program.coder.events.decode(Buffer.from(each, "hex").toString("base64"));
  return { name: decoded.name, fields: structToWire(decoded.name, decoded.data) };
});
process.stdout.write(JSON.stringify({ instructions, accounts, events }));
