//! SHA-256: at compile time for discriminators, by syscall on chain, and the same code on the host for tests.

const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
];

/// FIPS 180-4 SHA-256 of the concatenation of `parts`, usable in constants.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)] // a panic here is a compile or test failure
pub const fn sha256_const(parts: &[&[u8]]) -> [u8; 32] {
    let mut h: [u32; 8] =
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
    let mut total: u64 = 0;
    let mut p = 0;
    while p < parts.len() {
        total += parts[p].len() as u64;
        p += 1;
    }
    let padded = (total + 9).div_ceil(64) * 64;
    let (mut part, mut at, mut block, mut pos) = (0usize, 0usize, [0u8; 64], 0u64);
    while pos < padded {
        while part < parts.len() && at == parts[part].len() {
            part += 1;
            at = 0;
        }
        let byte = if part < parts.len() {
            at += 1;
            parts[part][at - 1]
        } else if pos == total {
            0x80
        } else if pos >= padded - 8 {
            (total * 8).to_be_bytes()[(pos + 8 - padded) as usize]
        } else {
            0
        };
        block[(pos % 64) as usize] = byte;
        pos += 1;
        if pos % 64 == 0 {
            h = compress(h, &block);
        }
    }
    let mut out = [0u8; 32];
    let mut i = 0;
    while i < 32 {
        out[i] = h[i / 4].to_be_bytes()[i % 4];
        i += 1;
    }
    out
}

#[allow(clippy::indexing_slicing)]
const fn compress(h: [u32; 8], block: &[u8; 64]) -> [u32; 8] {
    let mut w = [0u32; 64];
    let mut i = 0;
    while i < 16 {
        w[i] = u32::from_be_bytes([block[4 * i], block[4 * i + 1], block[4 * i + 2], block[4 * i + 3]]);
        i += 1;
    }
    while i < 64 {
        let (a, b) = (w[i - 15], w[i - 2]);
        let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
        let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
        w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
        i += 1;
    }
    let mut v = h;
    i = 0;
    while i < 64 {
        let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
        let ch = (v[4] & v[5]) ^ (!v[4] & v[6]);
        let t1 = v[7].wrapping_add(s1).wrapping_add(ch).wrapping_add(K[i]).wrapping_add(w[i]);
        let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
        let maj = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        let t2 = s0.wrapping_add(maj);
        v = [t1.wrapping_add(t2), v[0], v[1], v[2], v[3].wrapping_add(t1), v[4], v[5], v[6]];
        i += 1;
    }
    let mut out = h;
    i = 0;
    while i < 8 {
        out[i] = h[i].wrapping_add(v[i]);
        i += 1;
    }
    out
}

/// Anchor's eight-byte discriminator: sha256("<space>:<name>")[..8].
#[allow(clippy::indexing_slicing)]
pub const fn discriminator(space: &str, name: &str) -> [u8; 8] {
    let h = sha256_const(&[space.as_bytes(), b":", name.as_bytes()]);
    [h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]]
}

/// SHA-256 of the concatenation of `parts`.
#[inline(always)]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    {
        let mut out = core::mem::MaybeUninit::<[u8; 32]>::uninit();
        // SAFETY: `&[&[u8]]` has the layout the syscall reads (pointer and u64 length per part) and the
        // syscall writes all 32 bytes of `out` or aborts the transaction.
        unsafe {
            solana_define_syscall::definitions::sol_sha256(
                parts.as_ptr().cast(),
                parts.len() as u64,
                out.as_mut_ptr().cast(),
            );
            out.assume_init()
        }
    }
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    sha256_const(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_meets_the_published_vectors() {
        // printf '' | sha256sum ; printf abc | sha256sum
        let hex = |h: [u8; 32]| h.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(sha256_const(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(
            hex(sha256_const(&[b"a", b"", b"bc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // head -c 119 /dev/zero | sha256sum
        assert_eq!(hex(sha256_const(&[&[0; 119]])), "f616b0d54e78571a9611f343c9f8e022e859e920381ab0e4d3da01e193a7bd7e");
    }
}
