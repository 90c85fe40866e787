// A lookup table made and used, a transfer confirmed by websocket, with the classic @solana/web3.js.
// Usage: node web3.mjs RPC_URL WS_URL. Prints one JSON object of what the chain said.
import {
  AddressLookupTableProgram,
  Connection,
  Keypair,
  LAMPORTS_PER_SOL,
  SendTransactionError,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
  sendAndConfirmTransaction,
} from "@solana/web3.js";

const [rpcUrl, wsUrl] = process.argv.slice(2);
const connection = new Connection(rpcUrl, { commitment: "confirmed", wsEndpoint: wsUrl });
const payer = Keypair.fromSeed(new Uint8Array(32).fill(4));
const receiver = Keypair.fromSeed(new Uint8Array(32).fill(5)).publicKey;

const latest = await connection.getLatestBlockhash();
const airdrop = await connection.requestAirdrop(payer.publicKey, 5 * LAMPORTS_PER_SOL);
const confirmed = await connection.confirmTransaction({ signature: airdrop, ...latest }, "confirmed");

const accountTold = new Promise((resolve) => {
  connection.onAccountChange(receiver, (account) => resolve(account.lamports), { commitment: "confirmed" });
});
const logsTold = new Promise((resolve) => {
  connection.onLogs(receiver, (logs) => resolve(logs.signature), "confirmed");
});
const transfer = (amount) =>
  SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: receiver, lamports: amount });
const legacy = await sendAndConfirmTransaction(connection, new Transaction().add(transfer(LAMPORTS_PER_SOL)), [payer]);

const recentSlot = (await connection.getSlot("confirmed")) - 1;
const [createTable, table] = AddressLookupTableProgram.createLookupTable({
  authority: payer.publicKey,
  payer: payer.publicKey,
  recentSlot,
});
const extendTable = AddressLookupTableProgram.extendLookupTable({
  payer: payer.publicKey,
  authority: payer.publicKey,
  lookupTable: table,
  addresses: [receiver],
});
await sendAndConfirmTransaction(connection, new Transaction().add(createTable, extendTable), [payer]);
const madeAt = await connection.getSlot("confirmed");
await new Promise((resolve) => {
  const subscription = connection.onSlotChange(({ slot }) => {
    if (slot > madeAt + 2) {
      connection.removeSlotChangeListener(subscription).then(resolve);
    }
  });
});
const { value: lookupTable } = await connection.getAddressLookupTable(table);
const blockhash = await connection.getLatestBlockhash();
const message = new TransactionMessage({
  payerKey: payer.publicKey,
  recentBlockhash: blockhash.blockhash,
  instructions: [transfer(LAMPORTS_PER_SOL / 2)],
}).compileToV0Message([lookupTable]);
const versioned = new VersionedTransaction(message);
versioned.sign([payer]);
const simulated = await connection.simulateTransaction(versioned);
const v0 = await connection.sendTransaction(versioned);
await connection.confirmTransaction({ signature: v0, ...blockhash }, "confirmed");

let refused = null;
try {
  await sendAndConfirmTransaction(connection, new Transaction().add(transfer(100 * LAMPORTS_PER_SOL)), [payer]);
} catch (error) {
  if (!(error instanceof SendTransactionError)) throw error;
  refused = error.transactionError.message;
}
const parsed = await connection.getParsedTransaction(v0, { maxSupportedTransactionVersion: 0 });
const result = {
  airdrop_err: confirmed.value.err,
  // web3.js subscribes in the background: its first notification may be of either transfer.
  account_notified: [LAMPORTS_PER_SOL, 1.5 * LAMPORTS_PER_SOL].includes(await accountTold),
  logs_notified: [legacy, v0].includes(await logsTold),
  balance: await connection.getBalance(receiver),
  lookup_table: lookupTable.state.addresses.map((address) => address.equals(receiver)),
  simulated_units: simulated.value.unitsConsumed,
  parsed: parsed.transaction.message.instructions.map((instruction) => instruction.parsed.type),
  from_table: parsed.transaction.message.accountKeys.map((key) => key.source),
  history: (await connection.getSignaturesForAddress(receiver)).length,
  refused,
};
console.log(JSON.stringify(result));
process.exit(0);
