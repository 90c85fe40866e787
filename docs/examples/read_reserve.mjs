// Is this token backed, now, on your terms? (needs @solana/kit; TypeScript takes it too)
// node read_reserve.mjs RPC_URL PROGRAM_ID MINT MIN_TIMELOCK_SECS [UPGRADE_AUTHORITY]
import {
  address, createSolanaRpc, fetchEncodedAccounts, getAddressDecoder, getAddressEncoder, getProgramDerivedAddress,
} from "@solana/kit";

const TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb";
const CLOCK = "SysvarC1ock11111111111111111111111111111111";
const LOADER = "BPFLoaderUpgradeab1e11111111111111111111111";
// First eight bytes of sha256("account:<name>"), and the sizes: a layout of another version is refused, not guessed.
const KINDS = {
  Asset: { bytes: 800, discriminator: "eab4f1fc8be0a008" },
  Custodian: { bytes: 504, discriminator: "84e48bb870e46cf0" },
  Config: { bytes: 392, discriminator: "9b0caae01efacc82" },
};

const [rpcUrl, programId, mint, minTimelockSecs, expectedAuthority = null] = process.argv.slice(2);
const rpc = createSolanaRpc(rpcUrl);
const derive = async (...seeds) =>
  (await getProgramDerivedAddress({ programAddress: address(programId), seeds }))[0];
const fetchAll = (addresses) => fetchEncodedAccounts(rpc, addresses, { commitment: "finalized" });

/** A view of an account of the program, once its owner, kind, size and version are what they must be. */
function view(account, kind) {
  const { bytes, discriminator } = KINDS[kind];
  if (!account.exists || account.programAddress !== programId) throw new Error(`${account.address}: not the program's`);
  const found = Buffer.from(account.data.subarray(0, 8)).toString("hex");
  if (found !== discriminator || account.data.length !== bytes || account.data[8] !== 1)
    throw new Error(`${account.address}: no ${kind} of version 1`);
  return new DataView(account.data.buffer, account.data.byteOffset, account.data.byteLength);
}

/** The entries in use, each as a view of its 96 bytes, with its custodian. */
function entriesOf(asset) {
  const slots = [0, 1, 2, 3].map((slot) => new DataView(asset.buffer, asset.byteOffset + 336 + 96 * slot, 96));
  const end = slots.findIndex((entry) => entry.getUint8(36) === 0);
  return slots.slice(0, end < 0 ? 4 : end).map((entry) => ({
    entry,
    custodian: getAddressDecoder().decode(new Uint8Array(entry.buffer, entry.byteOffset, 32)),
  }));
}

// Once to learn who its custodians are; then everything in one answer, so of one slot.
const configAddress = await derive("config");
const assetAddress = await derive("asset", getAddressEncoder().encode(address(mint)));
const [programDataAddress] = await getProgramDerivedAddress({
  programAddress: address(LOADER), seeds: [getAddressEncoder().encode(address(programId))],
});
const [first] = await fetchAll([assetAddress]);
const custodians = entriesOf(view(first, "Asset")).map((each) => each.custodian);
const [configAccount, assetAccount, mintAccount, clockAccount, code, ...custodianAccounts] = await fetchAll(
  [configAddress, assetAddress, address(mint), address(CLOCK), programDataAddress, ...custodians],
);
const config = view(configAccount, "Config");
const asset = view(assetAccount, "Asset");
if (!mintAccount.exists || mintAccount.programAddress !== TOKEN_2022) throw new Error(`${mint}: no Token-2022 mint`);
const token = new DataView(mintAccount.data.buffer, mintAccount.data.byteOffset, mintAccount.data.byteLength);
const nowTs = new DataView(clockAccount.data.buffer, clockAccount.data.byteOffset).getBigInt64(32, true);

// Who may replace the program, and with it every rule: nobody, or whom you expect.
if (!code.exists || code.programAddress !== LOADER || code.data[0] !== 3) throw new Error(`${programId}: no code`);
const authority = code.data[12] === 0 ? null : getAddressDecoder().decode(code.data.subarray(13, 45));
const replacedAsAgreed = authority === null || authority === expectedAuthority;

// The present key epoch of each custodian that is active.
const epochs = new Map(custodianAccounts.map((account) => {
  const custodian = view(account, "Custodian");
  return [account.address, custodian.getUint8(14) === 0 ? custodian.getUint32(16, true) : null];
}));

// The multiplier in force: an announced one from its time on, on the asset and on the mint; they must agree.
const effectiveTs = asset.getBigInt64(152, true);
const multiplierBits = asset.getBigUint64(effectiveTs !== 0n && nowTs >= effectiveTs ? 144 : 136, true);
const scaledUi = asset.getUint16(168, true);
if (token.getUint32(scaledUi, true) !== (56 << 16 | 25)) throw new Error(`${mint}: no multiplier where the asset says`);
const mintBits = token.getBigUint64(scaledUi + (nowTs >= token.getBigInt64(scaledUi + 44, true) ? 52 : 36), true);

const maxAgeMs = BigInt(asset.getUint32(232, true)) * 1000n;
// Sums stop at the greatest u64, as the program's.
const sum = (a, b) => BigInt.asUintN(64, a + b) === a + b ? a + b : 2n ** 64n - 1n;
let sharesNano = 0n, freshRaw = 0n, unseenRaw = 0n, oldestMs = null;
for (const { entry, custodian } of entriesOf(asset)) {
  unseenRaw = sum(unseenRaw, entry.getBigUint64(72, true) - entry.getBigUint64(80, true));
  const observedMs = entry.getBigUint64(40, true);
  const fresh = entry.getUint8(36) === 1 && entry.getUint8(37) === 0
    && entry.getUint32(32, true) === epochs.get(custodian)
    && nowTs < entry.getBigInt64(48, true) && nowTs * 1000n <= observedMs + maxAgeMs
    && entry.getBigUint64(88, true) === multiplierBits && mintBits === multiplierBits;
  if (!fresh) continue;
  sharesNano = sum(sharesNano, entry.getBigUint64(56, true));
  freshRaw = sum(freshRaw, entry.getBigUint64(64, true));
  if (oldestMs === null || observedMs < oldestMs) oldestMs = observedMs;
}
const ceilingRaw = freshRaw > unseenRaw ? freshRaw - unseenRaw : 0n;
const supplyRaw = token.getBigUint64(36, true);
const shortRaw = supplyRaw > ceilingRaw ? supplyRaw - ceilingRaw : 0n;

/** What tokens stand for, in whole billionths of a share: raw x multiplier x 10^9 / 10^decimals, rounded down. */
function wholeNano(raw) {
  const exponent = (multiplierBits >> 52n) - 1075n;
  const product = raw * ((multiplierBits & (1n << 52n) - 1n) | 1n << 52n) * 10n ** 9n;
  const decimals = 10n ** BigInt(asset.getUint8(10));
  return exponent < 0n ? product / (decimals << -exponent) : (product << exponent) / decimals;
}
// The supply is backed but for less than so many billionths of a share: 0 where fully, 1 where it is rounding alone.
const claimedNano = wholeNano(supplyRaw + unseenRaw);
const lacksNano = claimedNano > sharesNano ? claimedNano - sharesNano + 1n : 1n;
const ageSecs = (ms) => (nowTs * 1000n > ms ? Number((nowTs * 1000n - ms + 999n) / 1000n) : 0);

console.log(JSON.stringify({
  enforced: config.getUint8(10) === 1 && asset.getUint8(12) !== 3 && replacedAsAgreed
    && config.getBigUint64(16, true) >= BigInt(minTimelockSecs),
  holds: asset.getUint8(14),
  multiplier_bits: multiplierBits.toString(),
  supply_raw: supplyRaw.toString(),
  ceiling_raw: ceilingRaw.toString(),
  fully_backed: shortRaw === 0n,
  shortfall_raw: shortRaw.toString(),
  lacks_less_than_nano: (shortRaw === 0n ? 0n : lacksNano).toString(),
  oldest_age_secs: oldestMs === null ? null : ageSecs(oldestMs),
}));
