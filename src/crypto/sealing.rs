//! One sealed format for everything that this room encrypts: values under a data key, data keys under the
//! key-encryption key, cursors under a subkey. Only the label and the fields of the context differ.
//!
//! ```text
//! ver(1) ‖ alg(1) ‖ key_id(8) ‖ salt(16) ‖ commit(32) ‖ ciphertext ‖ tag(16)
//! context = lp(label) ‖ lp(ver ‖ alg) ‖ lp(field)… ‖ lp(key_id)      lp(x) = 8-byte big-endian length ‖ x
//! key(32) ‖ nonce(12) ‖ commit(32) = HKDF-SHA-256(salt, secret, info = context)
//! ciphertext ‖ tag = AES-256-GCM(key, nonce, aad = context)
//! ```
//!
//! INVARIANT: a key and nonce pair is used once: both come from a fresh 128-bit salt.
//! INVARIANT: the context is length-prefixed, so no two lists of fields read as the same bytes.
//! INVARIANT: `commit` is compared, in constant time, before anything is decrypted.
//! THREAT: GCM does not commit to its key: one ciphertext can be made to open under two keys (invisible
//! salamanders, partitioning oracles). The commitment, which also covers the context, closes that.
//!
//! Not done here: hiding the length of the plaintext; choosing keys; any decision.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};
use ring::hkdf;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::clock::{Chance, NoChance};

/// Version of the layout above.
pub(super) const FORMAT: u8 = 1;
/// AES-256-GCM with HKDF-SHA-256 and a 32-byte commitment.
pub(super) const ALGORITHM: u8 = 1;

pub(super) const ID_LEN: usize = 8;
const SALT_LEN: usize = 16;
const COMMIT_LEN: usize = 32;
const TAG_LEN: usize = 16;
const KEY_LEN: usize = 32;
const HEADER_LEN: usize = 2 + ID_LEN + SALT_LEN + COMMIT_LEN;
/// How many bytes longer a sealed value is than its plaintext.
pub(super) const OVERHEAD: usize = HEADER_LEN + TAG_LEN;
/// Longest plaintext: no field of the product comes near (request bodies are bounded well below).
pub(super) const MAX_PLAINTEXT: usize = 1 << 20;

/// A value that cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("a value of `{0}` bytes is too long to be sealed (at most 1 048 576): shorten it")]
    TooLong(usize),
    #[error("the cipher refused to seal")]
    Cipher,
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// A sealed value that does not open. One opaque error: wrong key, place, version, damage and truncation look alike.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the sealed value does not open")]
pub struct OpenError;

/// Appends `lp(field)` for each field.
pub(super) fn length_prefixed(into: &mut Vec<u8>, fields: &[&[u8]]) {
    for field in fields {
        // A length beyond u64 cannot exist in memory; saturating keeps the function total.
        into.extend_from_slice(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        into.extend_from_slice(field);
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-SHA-256 (RFC 5869) into `out`; `None` when `out` is longer than 255 blocks.
pub(super) fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[u8], out: &mut [u8]) -> Option<()> {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    prk.expand(&[info], Length(out.len())).ok()?.fill(out).ok()
}

struct Derived {
    cipher: LessSafeKey,
    nonce: [u8; NONCE_LEN],
    commit: [u8; COMMIT_LEN],
}

fn derive(secret: &[u8; KEY_LEN], salt: &[u8], context: &[u8]) -> Option<Derived> {
    let mut material = Zeroizing::new([0_u8; KEY_LEN + NONCE_LEN + COMMIT_LEN]);
    hkdf_sha256(salt, secret, context, material.as_mut())?;
    let (key, rest) = material.split_first_chunk::<KEY_LEN>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>()?;
    let (commit, _) = rest.split_first_chunk::<COMMIT_LEN>()?;
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    Some(Derived { cipher, nonce: *nonce, commit: *commit })
}

fn context_of(label: &str, fields: &[&[u8]], key_id: &[u8; ID_LEN]) -> Vec<u8> {
    let mut context = Vec::with_capacity(160);
    length_prefixed(&mut context, &[label.as_bytes(), &[FORMAT, ALGORITHM]]);
    length_prefixed(&mut context, fields);
    length_prefixed(&mut context, &[key_id]);
    context
}

/// Seals `plaintext` under `secret`, bound to `label` and `fields`.
pub(super) fn seal(
    secret: &[u8; KEY_LEN],
    key_id: &[u8; ID_LEN],
    label: &str,
    fields: &[&[u8]],
    plaintext: &[u8],
    chance: &dyn Chance,
) -> Result<Vec<u8>, SealError> {
    if plaintext.len() > MAX_PLAINTEXT {
        return Err(SealError::TooLong(plaintext.len()));
    }
    let mut salt = [0_u8; SALT_LEN];
    chance.fill(&mut salt)?;
    let context = context_of(label, fields, key_id);
    let derived = derive(secret, &salt, &context).ok_or(SealError::Cipher)?;
    // Room for the whole value at once: a vector that grows would leave a copy of the plaintext behind.
    let mut out = Vec::with_capacity(plaintext.len().saturating_add(OVERHEAD));
    out.extend_from_slice(&[FORMAT, ALGORITHM]);
    out.extend_from_slice(key_id);
    out.extend_from_slice(&salt);
    out.extend_from_slice(&derived.commit);
    out.extend_from_slice(plaintext);
    let (_, body) = out.split_at_mut_checked(HEADER_LEN).ok_or(SealError::Cipher)?;
    let nonce = Nonce::assume_unique_for_key(derived.nonce);
    let tag = derived
        .cipher
        .seal_in_place_separate_tag(nonce, Aad::from(&context), body)
        .map_err(|_| SealError::Cipher)?;
    out.extend_from_slice(tag.as_ref());
    Ok(out)
}

/// The id of the key under which `bytes` say that they are sealed; nothing is verified yet.
pub(super) fn claimed_key_id(bytes: &[u8]) -> Option<[u8; ID_LEN]> {
    let ([format, algorithm], rest) = bytes.split_first_chunk::<2>()?;
    if *format != FORMAT || *algorithm != ALGORITHM || bytes.len() < OVERHEAD {
        return None;
    }
    rest.first_chunk::<ID_LEN>().copied()
}

/// Opens what [`seal`] made with the same secret, label and fields.
pub(super) fn open(
    secret: &[u8; KEY_LEN],
    key_id: &[u8; ID_LEN],
    label: &str,
    fields: &[&[u8]],
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    try_open(secret, key_id, label, fields, bytes).ok_or(OpenError)
}

fn try_open(
    secret: &[u8; KEY_LEN],
    key_id: &[u8; ID_LEN],
    label: &str,
    fields: &[&[u8]],
    bytes: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if claimed_key_id(bytes)? != *key_id {
        return None;
    }
    let (header, sealed) = bytes.split_at_checked(HEADER_LEN)?;
    let (_, header) = header.split_at_checked(2 + ID_LEN)?;
    let (salt, commit) = header.split_at_checked(SALT_LEN)?;
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG_LEN>()?;
    let context = context_of(label, fields, key_id);
    let derived = derive(secret, salt, &context)?;
    if !bool::from(derived.commit.ct_eq(commit)) {
        return None;
    }
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    let nonce = Nonce::assume_unique_for_key(derived.nonce);
    let tag = Tag::try_from(tag.as_slice()).ok()?;
    derived
        .cipher
        .open_in_place_separate_tag(nonce, Aad::from(&context), tag, plaintext.as_mut_slice(), 0..)
        .ok()?;
    Some(plaintext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;

    const ID: [u8; 8] = *b"key-id-1";

    #[test]
    fn the_layout_is_the_documented_one() {
        let sealed = seal(&[1; 32], &ID, "test", &[b"a"], b"mot", &SystemChance::new()).unwrap();
        assert_eq!(sealed.len(), 1 + 1 + 8 + 16 + 32 + 3 + 16);
        assert_eq!(&sealed[..2], &[1, 1]);
        assert_eq!(&sealed[2..10], b"key-id-1");
        // Rebuilt by hand, from the documentation alone.
        let mut context = Vec::new();
        for field in [&b"test"[..], &[1, 1], b"a", b"key-id-1"] {
            context.extend_from_slice(&u64::try_from(field.len()).unwrap().to_be_bytes());
            context.extend_from_slice(field);
        }
        let mut okm = [0_u8; 76];
        hkdf_sha256(&sealed[10..26], &[1; 32], &context, &mut okm).unwrap();
        assert_eq!(&okm[44..], &sealed[26..58]);
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &okm[..32]).unwrap());
        let mut body = sealed[58..].to_vec();
        let nonce = Nonce::assume_unique_for_key(okm[32..44].try_into().unwrap());
        assert_eq!(cipher.open_in_place(nonce, Aad::from(&context), &mut body).unwrap(), b"mot");
    }

    /// THREAT: fields that run together, e.g. row `1` column `2x` against row `12` column `x`.
    #[test]
    fn fields_do_not_run_together() {
        let sealed = seal(&[1; 32], &ID, "test", &[b"1", b"2x"], b"mot", &SystemChance::new()).unwrap();
        assert!(open(&[1; 32], &ID, "test", &[b"1", b"2x"], &sealed).is_ok());
        assert_eq!(open(&[1; 32], &ID, "test", &[b"12", b"x"], &sealed), Err(OpenError));
        assert_eq!(open(&[1; 32], &ID, "test", &[b"12x"], &sealed), Err(OpenError));
        assert_eq!(open(&[1; 32], &ID, "tes", &[b"t", b"1", b"2x"], &sealed), Err(OpenError));
    }

    /// THREAT: a ciphertext that opens under two keys. Plain GCM lets one build such a thing: here both
    /// headers are grafted onto a body that GCM itself would accept, and the commitment alone refuses it.
    #[test]
    fn a_ciphertext_that_gcm_accepts_without_its_commitment_is_refused() {
        let sealed = seal(&[1; 32], &ID, "test", &[], b"mot", &SystemChance::new()).unwrap();
        let other = seal(&[2; 32], &ID, "test", &[], b"mot", &SystemChance::new()).unwrap();
        // GCM accepts this body under key 1 (nothing but the commitment was replaced)…
        let mut grafted = sealed.clone();
        grafted[26..58].copy_from_slice(&other[26..58]);
        let context = context_of("test", &[], &ID);
        let derived = derive(&[1; 32], &grafted[10..26], &context).unwrap();
        let mut body = grafted[58..].to_vec();
        let nonce = Nonce::assume_unique_for_key(derived.nonce);
        assert!(derived.cipher.open_in_place(nonce, Aad::from(&context), &mut body).is_ok());
        // …yet it does not open, under either key.
        assert_eq!(open(&[1; 32], &ID, "test", &[], &grafted), Err(OpenError));
        assert_eq!(open(&[2; 32], &ID, "test", &[], &grafted), Err(OpenError));
        assert!(open(&[1; 32], &ID, "test", &[], &sealed).is_ok());
    }

    #[test]
    fn a_value_beyond_the_bound_is_not_sealed() {
        let long = vec![0_u8; MAX_PLAINTEXT + 1];
        assert!(matches!(
            seal(&[1; 32], &ID, "test", &[], &long, &SystemChance::new()),
            Err(SealError::TooLong(1_048_577))
        ));
    }

    struct Dry;
    impl Chance for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), NoChance> {
            Err(NoChance)
        }
    }

    #[test]
    fn without_randomness_nothing_is_sealed() {
        assert!(matches!(seal(&[1; 32], &ID, "test", &[], b"mot", &Dry), Err(SealError::Chance(_))));
    }
}
