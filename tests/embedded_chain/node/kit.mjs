// A Token-2022 mint with a multiplier, made and moved with @solana/kit, confirmed by websocket.
// Usage: node kit.mjs RPC_URL WS_URL. Prints one JSON object of what the chain said.
import {
  airdropFactory,
  appendTransactionMessageInstructions,
  createKeyPairSignerFromPrivateKeyBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  getSignatureFromTransaction,
  isSolanaError,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  some,
} from "@solana/kit";
import { getCreateAccountInstruction, getTransferSolInstruction } from "@solana-program/system";
import {
  extension,
  fetchMint,
  fetchToken,
  findAssociatedTokenPda,
  getCreateAssociatedTokenInstructionAsync,
  getInitializeMintInstruction,
  getMintSize,
  getMintToCheckedInstruction,
  getPreInitializeInstructionsForMintExtensions,
  getTransferCheckedInstruction,
  TOKEN_2022_PROGRAM_ADDRESS,
} from "@solana-program/token-2022";

const [rpcUrl, wsUrl] = process.argv.slice(2);
const rpc = createSolanaRpc(rpcUrl);
const rpcSubscriptions = createSolanaRpcSubscriptions(wsUrl);
const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions });
const signer = (seed) => createKeyPairSignerFromPrivateKeyBytes(new Uint8Array(32).fill(seed));
const payer = await signer(1);
const mint = await signer(2);
const receiver = await signer(3);
const abort = new AbortController();

// Subscribed before anything happens to it.
const notifications = await rpcSubscriptions
  .accountNotifications(receiver.address, { commitment: "confirmed" })
  .subscribe({ abortSignal: abort.signal });
const told = (async () => {
  for await (const notification of notifications) return notification.value.lamports;
})();

async function send(instructions, commitment = "confirmed") {
  const { value: blockhash } = await rpc.getLatestBlockhash({ commitment: "confirmed" }).send();
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(payer, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(blockhash, m),
    (m) => appendTransactionMessageInstructions(instructions, m),
  );
  const transaction = await signTransactionMessageWithSigners(message);
  await sendAndConfirm(transaction, { commitment, preflightCommitment: "confirmed" });
  return getSignatureFromTransaction(transaction);
}

await airdropFactory({ rpc, rpcSubscriptions })({
  recipientAddress: payer.address,
  lamports: lamports(10_000_000_000n),
  commitment: "confirmed",
});

const extensions = [
  extension("ScaledUiAmountConfig", {
    authority: payer.address,
    multiplier: 1.5,
    newMultiplierEffectiveTimestamp: 0n,
    newMultiplier: 1.5,
  }),
  extension("PausableConfig", { authority: some(payer.address), paused: false }),
];
const space = BigInt(getMintSize(extensions));
await send([
  getCreateAccountInstruction({
    payer,
    newAccount: mint,
    lamports: await rpc.getMinimumBalanceForRentExemption(space).send(),
    space,
    programAddress: TOKEN_2022_PROGRAM_ADDRESS,
  }),
  ...getPreInitializeInstructionsForMintExtensions(mint.address, extensions),
  getInitializeMintInstruction({ mint: mint.address, decimals: 8, mintAuthority: payer.address }),
]);

const account = async (owner) =>
  (await findAssociatedTokenPda({ mint: mint.address, owner, tokenProgram: TOKEN_2022_PROGRAM_ADDRESS }))[0];
const [source, destination] = [await account(payer.address), await account(receiver.address)];
await send([
  await getCreateAssociatedTokenInstructionAsync({ payer, mint: mint.address, owner: payer.address }),
  await getCreateAssociatedTokenInstructionAsync({ payer, mint: mint.address, owner: receiver.address }),
  getMintToCheckedInstruction({
    mint: mint.address,
    token: source,
    mintAuthority: payer,
    amount: 100_000_000n,
    decimals: 8,
  }),
]);
const move = (amount) =>
  getTransferCheckedInstruction({ source, mint: mint.address, destination, authority: payer, amount, decimals: 8 });
const signature = await send(
  [move(40_000_000n), getTransferSolInstruction({ source: payer, destination: receiver.address, amount: 2_000_000n })],
  "finalized",
);

let refused = null;
try {
  await send([move(10n ** 15n)]);
} catch (error) {
  if (!isSolanaError(error, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE)) throw error;
  refused = { context: Number(error.cause.context.code), index: error.cause.context.index, logs: error.context.logs };
}

const balance = (await rpc.getTokenAccountBalance(destination, { commitment: "confirmed" }).send()).value;
const transaction = await rpc
  .getTransaction(signature, { commitment: "confirmed", encoding: "jsonParsed", maxSupportedTransactionVersion: 0 })
  .send();
const result = {
  balance_raw: balance.amount,
  balance_ui: balance.uiAmountString,
  decoded_raw: (await fetchToken(rpc, destination)).data.amount.toString(),
  multiplier: (await fetchMint(rpc, mint.address)).data.extensions.value.find(
    (e) => e.__kind === "ScaledUiAmountConfig",
  ).multiplier,
  notified_lamports: (await told).toString(),
  parsed: transaction.transaction.message.instructions.map((i) => i.parsed.type),
  refused,
};
abort.abort();
console.log(JSON.stringify(result));
