//! Secrets that people and browsers carry: session tokens, invitation codes, rescue codes.
//!
//! INVARIANT: of each, only a [`TokenHash`] (HMAC under a key of the instance, `keyring`) can be stored: the
//! secrets have no `Serialize`, no `Debug` content and no accessor but the one that shows them once.
//!
//! Not done here: expiry, single use, counting of failures (the services keep those).

use std::sync::LazyLock;

use data_encoding::{BASE64URL_NOPAD, Encoding, HEXLOWER, Specification};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::hash::{Digest, sha256};
use crate::clock::{Chance, NoChance};

/// Letters and digits that are not mistaken for one another in print or aloud (no l, o, 0, 1).
static READABLE: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("abcdefghijkmnpqrstuvwxyz23456789");
    spec.encoding().ok()
});

/// Text that is not a token or code of this kind, or one that was mistyped.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a valid code: check each character (the letters l and o and the digits 0 and 1 are never used)")]
pub struct TokenError;

/// What is stored of a secret. Not a secret; its `Debug` prints the type name all the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TokenHash(Digest);

impl TokenHash {
    pub(super) const fn new(digest: Digest) -> Self {
        Self(digest)
    }

    /// 64 hexadecimal characters, for a column.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`TokenError`] when it is not 64 hexadecimal characters.
    pub fn parse(hex: &str) -> Result<Self, TokenError> {
        let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|_| TokenError)?;
        bytes.try_into().map(Self).map_err(|_| TokenError)
    }

    /// Comparison in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash")
    }
}

/// A session: 256 random bits, 43 characters of base64url, for a cookie or a bearer header.
pub struct SessionToken(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken")
    }
}

impl SessionToken {
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(chance: &dyn Chance) -> Result<Self, NoChance> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        chance.fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    /// Reads what a client sent.
    ///
    /// # Errors
    /// [`TokenError`] unless it is exactly the form of [`SessionToken::reveal`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| TokenError)?);
        bytes.as_slice().try_into().map(|bytes| Self(Zeroizing::new(bytes))).map_err(|_| TokenError)
    }

    /// The token itself, for the one answer that carries it.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL_NOPAD.encode(self.0.as_ref()))
    }

    pub(super) fn secret(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// An invitation to open an account: 128 random bits and a check byte, 28 characters in groups of four.
pub struct InvitationCode(Zeroizing<[u8; 16]>);

impl std::fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvitationCode")
    }
}

impl InvitationCode {
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(chance: &dyn Chance) -> Result<Self, NoChance> {
        let mut bytes = Zeroizing::new([0_u8; 16]);
        chance.fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    /// Reads what a person typed: case, blanks and hyphens do not count, a mistyped character is noticed.
    ///
    /// # Errors
    /// [`TokenError`] otherwise.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        read_groups::<17>(text).and_then(|all| {
            let (check, bytes) = all.split_last().ok_or(TokenError)?;
            let bytes: [u8; 16] = bytes.try_into().map_err(|_| TokenError)?;
            let code = Self(Zeroizing::new(bytes));
            if code.check() == *check { Ok(code) } else { Err(TokenError) }
        })
    }

    /// The code as it is printed or read out, once.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut all = Zeroizing::new(Vec::with_capacity(17));
        all.extend_from_slice(self.0.as_ref());
        all.push(self.check());
        write_groups(&all)
    }

    /// Notices a slip of the pen before an attempt is counted. Not a protection: anyone can compute it.
    fn check(&self) -> u8 {
        sha256(&[b"relais/invitation-check/1", self.0.as_ref()]).first().copied().unwrap_or_default()
    }

    pub(super) fn secret(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// A printed code for the day the telephone is lost: 80 random bits, 16 characters in groups of four.
pub struct RescueCode(Zeroizing<[u8; 10]>);

impl std::fmt::Debug for RescueCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RescueCode")
    }
}

/// How many rescue codes a person prints.
pub const RESCUE_CODES: usize = 8;

impl RescueCode {
    /// A new sheet of [`RESCUE_CODES`] codes; the former ones are to be forgotten.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn sheet(chance: &dyn Chance) -> Result<Vec<Self>, NoChance> {
        (0..RESCUE_CODES)
            .map(|_| {
                let mut bytes = Zeroizing::new([0_u8; 10]);
                chance.fill(bytes.as_mut())?;
                Ok(Self(bytes))
            })
            .collect()
    }

    /// Reads what a person typed: case, blanks and hyphens do not count.
    ///
    /// # Errors
    /// [`TokenError`] otherwise.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        read_groups::<10>(text).map(Self)
    }

    /// The code as it is printed, once.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        write_groups(self.0.as_ref())
    }

    pub(super) fn secret(&self) -> &[u8] {
        self.0.as_ref()
    }
}

fn write_groups(bytes: &[u8]) -> Zeroizing<String> {
    let plain = Zeroizing::new(READABLE.as_ref().map(|e| e.encode(bytes)).unwrap_or_default());
    let mut out = Zeroizing::new(String::with_capacity(plain.len().saturating_mul(2)));
    for (i, c) in plain.chars().enumerate() {
        if i > 0 && i.is_multiple_of(4) {
            out.push('-');
        }
        out.push(c);
    }
    out
}

fn read_groups<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, TokenError> {
    // Bounded before anything is allocated for it.
    if text.len() > 128 {
        return Err(TokenError);
    }
    let mut plain = Zeroizing::new(String::with_capacity(128));
    plain.extend(text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_lowercase()));
    let encoding = READABLE.as_ref().ok_or(TokenError)?;
    let bytes = Zeroizing::new(encoding.decode(plain.as_bytes()).map_err(|_| TokenError)?);
    bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| TokenError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;
    use crate::crypto::envelope::DataKey;
    use crate::crypto::keyring::InstanceKeys;
    use crate::ids::ProfessionalId;

    #[test]
    fn a_session_token_reads_back_and_only_exactly() {
        let token = SessionToken::generate(&SystemChance::new()).unwrap();
        let text = token.reveal();
        assert_eq!(text.len(), 43);
        assert_eq!(SessionToken::parse(&text).unwrap().secret(), token.secret());
        for bad in ["", "a", &text[..42], &format!("{}=", *text), &format!(" {}", *text), &"é".repeat(43)] {
            assert_eq!(SessionToken::parse(bad).err(), Some(TokenError), "{bad}");
        }
    }

    #[test]
    fn an_invitation_code_reads_back_as_people_type_and_notices_a_slip() {
        let code = InvitationCode::generate(&SystemChance::new()).unwrap();
        let text = code.reveal();
        assert_eq!(text.len(), 34);
        assert_eq!(text.split('-').count(), 7);
        for typed in [
            text.to_string(),
            text.to_uppercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            format!(" {}\n", *text),
        ] {
            assert_eq!(InvitationCode::parse(&typed).unwrap().secret(), code.secret(), "{typed}");
        }
        // A slip is noticed 255 times in 256: over every position and letter, hardly any is taken.
        let mut taken = 0;
        let mut tried = 0;
        for at in (0..text.len()).filter(|i| (i + 1) % 5 != 0) {
            for letter in "abcdefghijkmnpqrstuvwxyz23456789".chars() {
                let mut slip = text.to_string();
                slip.replace_range(at..=at, &letter.to_string());
                if slip != *text {
                    tried += 1;
                    taken += u32::from(InvitationCode::parse(&slip).is_ok());
                }
            }
        }
        assert_eq!(tried, 28 * 31);
        assert!(taken < 30, "{taken} slips of {tried} were taken");
        for bad in ["", "abcd", &"a".repeat(300), "é"] {
            assert_eq!(InvitationCode::parse(bad).err(), Some(TokenError), "{bad}");
        }
    }

    #[test]
    fn a_rescue_sheet_has_eight_different_codes_of_80_bits() {
        let sheet = RescueCode::sheet(&SystemChance::new()).unwrap();
        let printed: std::collections::BTreeSet<String> =
            sheet.iter().map(|c| c.reveal().to_string()).collect();
        assert_eq!(printed.len(), RESCUE_CODES);
        for code in &sheet {
            assert_eq!(code.secret().len() * 8, 80);
            assert_eq!(RescueCode::parse(&code.reveal().to_uppercase()).unwrap().secret(), code.secret());
        }
    }

    #[test]
    fn hashes_depend_on_the_secret_the_use_and_the_owner() {
        let chance = SystemChance::new();
        let keys = InstanceKeys::derive(&DataKey::generate(&chance).unwrap());
        let other = InstanceKeys::derive(&DataKey::generate(&chance).unwrap());
        let token = SessionToken::generate(&chance).unwrap();
        let hash = keys.session_hash(&token);
        assert!(hash.matches(&keys.session_hash(&SessionToken::parse(&token.reveal()).unwrap())));
        assert!(!hash.matches(&other.session_hash(&token)));
        assert_eq!(TokenHash::parse(&hash.to_hex()), Ok(hash.clone()));
        assert_eq!(TokenHash::parse("00"), Err(TokenError));
        let code = RescueCode::sheet(&chance).unwrap().remove(0);
        let (ann, bob) = (ProfessionalId::random(&chance).unwrap(), ProfessionalId::random(&chance).unwrap());
        assert!(keys.rescue_hash(&ann, &code).matches(&keys.rescue_hash(&ann, &code)));
        assert!(!keys.rescue_hash(&ann, &code).matches(&keys.rescue_hash(&bob, &code)));
        // The stored form tells nothing of the secret, plain hash included.
        assert_ne!(hash.to_hex(), HEXLOWER.encode(&sha256(&[token.secret()])));
    }

    #[test]
    fn no_secret_prints() {
        let chance = SystemChance::new();
        assert_eq!(format!("{:?}", SessionToken::generate(&chance).unwrap()), "SessionToken");
        assert_eq!(format!("{:?}", InvitationCode::generate(&chance).unwrap()), "InvitationCode");
        assert_eq!(format!("{:?}", RescueCode::sheet(&chance).unwrap().remove(0)), "RescueCode");
        assert_eq!(format!("{:?}", TokenHash::new([1; 32])), "TokenHash");
    }
}
