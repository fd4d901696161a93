//! Signed notes (C2SP `signed-note`): text, a blank line, signature lines.
//!
//! Only Ed25519 (signature type 0x01) is made and checked here. Other signatures are kept as they came: a witness's
//! cosignature (`cosignature`) or a post-quantum one survives a round through this program.
//!
//! INVARIANT: a note is worth nothing until [`Note::verify`] says which known keys signed it; a known key whose
//! signature does not verify, or that signed twice, spoils the whole note.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};

use crate::crypto::hash::sha256;
use crate::crypto::sign::{self, SigningKey};

/// The signature type of Ed25519 notes.
const ED25519: u8 = 0x01;
/// A note may be this long, and have this many signatures (the format asks for at least 16).
const MAX_BYTES: usize = 1_000_000;
const MAX_SIGNATURES: usize = 64;

/// Why a note, or a key, was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoteError {
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    #[error("`{0}` is not the name of a key: it must not be empty nor hold spaces or `+`")]
    Name(String),
    #[error("not a verifier key: {0}")]
    Key(&'static str),
    #[error("the signature of `{0}` does not verify; do not trust this note")]
    BadSignature(String),
    #[error("the key `{0}` signed this note twice; do not trust it")]
    Twice(String),
    #[error("no key that you trust signed this note")]
    NotSigned,
}

fn check_name(name: &str) -> Result<(), NoteError> {
    if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
        return Err(NoteError::Name(name.chars().take(80).collect()));
    }
    Ok(())
}

fn key_id(kind: u8, name: &str, public: &[u8; 32]) -> [u8; 4] {
    let digest = sha256(&[name.as_bytes(), b"\n", &[kind], public]);
    digest.first_chunk().copied().unwrap_or_default()
}

/// An Ed25519 key under a name, for one kind of signature: its id depends on all three.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct NamedKey {
    kind: u8,
    pub(super) name: String,
    pub(super) id: [u8; 4],
    pub(super) public: [u8; 32],
}

impl NamedKey {
    pub(super) fn new(kind: u8, name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        if sign::is_doubtful(&public) {
            return Err(NoteError::Key("it is not a safe key (of small order, or written otherwise)"));
        }
        Ok(Self { kind, name: name.to_owned(), id: key_id(kind, name, &public), public })
    }

    /// Reads `<name>+<id in hexadecimal>+<base64 of the kind and the key>`.
    pub(super) fn parse(kind: u8, text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key("expected `name+id+key`"));
        };
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::Key("the key is not base64"))?;
        let public = match bytes.split_first() {
            Some((found, public)) if *found == kind => {
                public.try_into().map_err(|_| NoteError::Key("not 32 bytes"))?
            }
            Some(_) => return Err(NoteError::Key("a log has keys of type 1, a witness of type 4")),
            None => return Err(NoteError::Key("the key is empty")),
        };
        let key = Self::new(kind, name, public)?;
        if HEXLOWER.encode(&key.id) == id {
            Ok(key)
        } else {
            Err(NoteError::Key("the id is not that of this key"))
        }
    }

    /// The signature of this key in the note; an error when it signed twice.
    pub(super) fn signature_in<'n>(&self, note: &'n Note) -> Result<Option<&'n [u8]>, NoteError> {
        let mut own = note.signatures.iter().filter(|s| s.id == self.id && s.name == self.name);
        match (own.next(), own.next()) {
            (Some(_), Some(_)) => Err(NoteError::Twice(self.name.clone())),
            (found, _) => Ok(found.map(|s| s.bytes.as_slice())),
        }
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind];
        bytes.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id), BASE64.encode(&bytes))
    }
}

/// A log's public key with its name: what a verifier trusts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey(NamedKey);

impl VerifierKey {
    /// A key under a name.
    ///
    /// # Errors
    /// [`NoteError::Name`]; [`NoteError::Key`] for a key that no honest generator makes.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        Ok(Self(NamedKey::new(ED25519, name, public)?))
    }

    /// Reads `<name>+<id in hexadecimal>+<base64 of 0x01 and the key>`.
    ///
    /// # Errors
    /// [`NoteError::Key`], also when the id is not that of the name and key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        Ok(Self(NamedKey::parse(ED25519, text)?))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.0.id
    }

    /// The key without its name.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.0.public
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One signature line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl NoteSignature {
    pub(super) fn of(key: &NamedKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name.clone(), id: key.id, bytes }
    }

    /// Reads one line, without its end.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] or [`NoteError::Name`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let (name, encoded) = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(NoteError::Malformed("a signature line is not `— name base64`"))?;
        check_name(name)?;
        let bytes = BASE64
            .decode(encoded.as_bytes())
            .map_err(|_| NoteError::Malformed("a signature is not base64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((id, rest)) if !rest.is_empty() => {
                Ok(Self { name: name.to_owned(), id: *id, bytes: rest.to_vec() })
            }
            Some(_) | None => Err(NoteError::Malformed("a signature is too short")),
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "\u{2014} {} {}", self.name, BASE64.encode(&bytes))
    }
}

/// A text with signatures, of which none is checked yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Signs a text, which must end with a newline.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] or [`NoteError::Name`].
    pub fn sign(text: String, name: &str, key: &SigningKey) -> Result<Self, NoteError> {
        check_text(&text)?;
        Self { text, signatures: Vec::new() }.and_sign(name, key)
    }

    /// One more signature (a new key beside the old one, while a key is replaced).
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn and_sign(mut self, name: &str, key: &SigningKey) -> Result<Self, NoteError> {
        check_name(name)?;
        let bytes = key.sign(self.text.as_bytes()).to_vec();
        let id = key_id(ED25519, name, &key.public());
        self.signatures.push(NoteSignature { name: name.to_owned(), id, bytes });
        Ok(self)
    }

    /// The same note with these signatures of others; one that stands there already is not put twice.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = NoteSignature>) -> Self {
        for signature in more {
            if !self.signatures.contains(&signature) {
                self.signatures.push(signature);
            }
        }
        self
    }

    /// Reads a note, byte for byte as the format has it.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_BYTES {
            return Err(NoteError::Malformed("it is too long"));
        }
        let at = note.rfind("\n\n").ok_or(NoteError::Malformed("no blank line before the signatures"))?;
        let (text, rest) = note
            .split_at_checked(at.saturating_add(1))
            .ok_or(NoteError::Malformed("no blank line before the signatures"))?;
        check_text(text)?;
        let lines = rest
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteError::Malformed("the last line does not end"))?;
        let signatures = lines.split('\n').map(NoteSignature::parse).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("too many signatures"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, with its final newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The known keys that signed. Unknown signatures are ignored (name *and* id must match to be known).
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] when a known key's signature is wrong, [`NoteError::Twice`] when one signed twice,
    /// [`NoteError::NotSigned`] when none is there.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let mut signed: Vec<&VerifierKey> = Vec::new();
        for key in keys {
            let Some(bytes) = key.0.signature_in(self)? else { continue };
            if !sign::verify(key.public(), self.text.as_bytes(), bytes) {
                return Err(NoteError::BadSignature(key.name().to_owned()));
            }
            if !signed.contains(&key) {
                signed.push(key);
            }
        }
        if signed.is_empty() { Err(NoteError::NotSigned) } else { Ok(signed) }
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::Malformed("the text does not end with a newline"));
    }
    if text.chars().any(|c| u32::from(c) < 0x20 && c != '\n') {
        return Err(NoteError::Malformed("a control character"));
    }
    Ok(())
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            writeln!(f, "{signature}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Go package `golang.org/x/mod/sumdb/note` (an independent implementation).
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your \
                        problem is.\n\n— PeterNeumann \
                        x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32]).unwrap()
    }

    fn verifier(name: &str, seed: u8) -> VerifierKey {
        VerifierKey::new(name, key(seed).public()).unwrap()
    }

    #[test]
    fn a_note_made_by_another_implementation_verifies_and_is_kept_byte_for_byte() {
        let peter = VerifierKey::parse(PETER).unwrap();
        assert_eq!(peter.to_string(), PETER);
        let note = Note::parse(NOTE).unwrap();
        assert_eq!(note.to_string(), NOTE);
        assert_eq!(note.verify(std::slice::from_ref(&peter)).unwrap(), vec![&peter]);
        let edited = Note::parse(&NOTE.replace("answer", "Answer")).unwrap();
        assert_eq!(edited.verify(&[peter]), Err(NoteError::BadSignature("PeterNeumann".to_owned())));
    }

    #[test]
    fn several_keys_sign_and_unknown_ones_are_kept_but_not_believed() {
        let note = Note::sign("a\n\nb\n".to_owned(), "log.example/1", &key(1))
            .unwrap()
            .and_sign("log.example/2", &key(2))
            .unwrap();
        let again = Note::parse(&note.to_string()).unwrap();
        assert_eq!(again, note);
        assert_eq!(again.text(), "a\n\nb\n");
        let (one, two) = (verifier("log.example/1", 1), verifier("log.example/2", 2));
        assert_eq!(again.verify(&[one.clone(), two.clone()]).unwrap(), vec![&one, &two]);
        assert_eq!(again.verify(std::slice::from_ref(&two)).unwrap(), vec![&two]);
        assert_eq!(again.verify(&[]), Err(NoteError::NotSigned));
        // Same key under another name, same name with another key: both unknown.
        let strangers = [verifier("log.example/3", 1), verifier("log.example/1", 3)];
        assert_eq!(again.verify(&strangers), Err(NoteError::NotSigned));
    }

    #[test]
    fn a_known_key_that_signed_twice_spoils_the_note() {
        let note = Note::sign("text\n".to_owned(), "log.example/1", &key(1)).unwrap().to_string();
        let line = note.lines().last().unwrap();
        let twice = Note::parse(&format!("{note}{line}\n")).unwrap();
        assert_eq!(
            twice.verify(&[verifier("log.example/1", 1)]),
            Err(NoteError::Twice("log.example/1".to_owned()))
        );
        // Of no concern to whoever does not know the key.
        assert_eq!(twice.verify(&[verifier("log.example/1", 2)]), Err(NoteError::NotSigned));
    }

    /// The encodings that `tests/store/verifier` puts to the second verifier.
    #[test]
    fn threat_a_key_of_small_order_or_of_another_spelling_is_no_key() {
        for text in [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ] {
            let public: [u8; 32] = HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap();
            assert!(matches!(VerifierKey::new("log.example/1", public), Err(NoteError::Key(_))), "{text}");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_note_is_refused() {
        let known = [verifier("log.example/1", 1)];
        let note = Note::sign("text\n".to_owned(), "log.example/1", &key(1)).unwrap().to_string();
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let verdict = Note::parse(&text).and_then(|n| n.verify(&known).map(|_| ()));
                assert!(verdict.is_err(), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn what_is_not_a_note_is_refused() {
        let line = "\u{2014} log.example/1 AAAAAAA=\n";
        for bad in [
            String::new(),
            "text\n".to_owned(),
            "text\n\n".to_owned(),
            format!("text\n\n{}", line.trim_end()),
            format!("text\n\n{line}\n"),
            format!("text\r\n\n{line}"),
            format!("text\n\n- log AAAAAAA=\n{line}"),
            "text\n\n\u{2014} log AAAA\n".to_owned(),
            "text\n\n\u{2014} log AAAAAA==\n".to_owned(),
            "text\n\n\u{2014} lo+g AAAAAAA=\n".to_owned(),
            "text\n\n\u{2014} log AAAAAAB=\n".to_owned(),
            format!("text\n\n{}", line.repeat(MAX_SIGNATURES + 1)),
        ] {
            assert!(Note::parse(&bad).is_err(), "{bad:?}");
        }
        assert!(Note::parse(&format!("text\n\n{}", line.repeat(16))).is_ok());
        assert!(Note::sign("no newline".to_owned(), "log", &key(1)).is_err());
        for bad in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
            assert!(VerifierKey::new(bad, key(1).public()).is_err(), "{bad:?}");
        }
        for bad in [
            "",
            "a+b",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "a+00000000+AQ==",
        ] {
            assert!(VerifierKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
