//! The subkeys of the instance's data key, one per use, so that no value of one use means anything in another.
//!
//! They may be kept for as long as the process runs: the instance's key lives as long as the instance.
//!
//! Not done here: anything under a pathway's key (`envelope`), making or unwrapping keys (`keyring`).

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

use super::envelope::{DataKey, DataKeyId, keyed_digest};
use super::hash::Digest;
use super::sealing::{self, OpenError, SealError};
use super::token::{InvitationCode, RescueCode, SessionToken, TokenHash};
use crate::clock::Chance;
use crate::ids::ProfessionalId;

/// The blind index of a login: the only value by which a sealed column can be searched (SECURITY §2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LoginIndex(String);

impl LoginIndex {
    /// 64 hexadecimal characters, for a unique column.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for LoginIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginIndex")
    }
}

/// Subkeys of the instance's data key, one per use, so that no value of one use means anything in another.
pub struct InstanceKeys {
    login: Zeroizing<[u8; 32]>,
    session: Zeroizing<[u8; 32]>,
    invitation: Zeroizing<[u8; 32]>,
    rescue: Zeroizing<[u8; 32]>,
    etag: Zeroizing<[u8; 32]>,
    cursor: Zeroizing<[u8; 32]>,
    idempotency: Zeroizing<[u8; 32]>,
    delay: Zeroizing<[u8; 32]>,
    opening: Zeroizing<[u8; 32]>,
    kept_forms: Zeroizing<[u8; 32]>,
    id: DataKeyId,
}

impl std::fmt::Debug for InstanceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstanceKeys")
    }
}

const CURSOR_LABEL: &str = "relais/cursor/1";
const OPENING_LABEL: &str = "relais/account-opening/1";

impl InstanceKeys {
    /// Derives all subkeys from the instance's data key.
    #[must_use]
    pub fn derive(instance: &DataKey) -> Self {
        Self {
            login: instance.subkey("login-index"),
            session: instance.subkey("session-token"),
            invitation: instance.subkey("invitation-code"),
            rescue: instance.subkey("rescue-code"),
            etag: instance.subkey("etag"),
            cursor: instance.subkey("cursor"),
            idempotency: instance.subkey("idempotency"),
            delay: instance.subkey("sign-in-delay"),
            opening: instance.subkey("account-opening"),
            kept_forms: instance.subkey("kept-forms"),
            id: *instance.id(),
        }
    }

    /// The blind index of a login, without regard to case or surrounding blanks.
    #[must_use]
    pub fn login_index(&self, login: &str) -> LoginIndex {
        let folded = Zeroizing::new(login.trim().to_lowercase());
        LoginIndex(HEXLOWER.encode(&keyed_digest(&self.login, &[folded.as_bytes()])))
    }

    #[must_use]
    pub fn session_hash(&self, token: &SessionToken) -> TokenHash {
        TokenHash::new(keyed_digest(&self.session, &[token.secret()]))
    }

    #[must_use]
    pub fn invitation_hash(&self, code: &InvitationCode) -> TokenHash {
        TokenHash::new(keyed_digest(&self.invitation, &[code.secret()]))
    }

    /// Bound to its owner: a row of one professional's codes is worth nothing under another's name.
    #[must_use]
    pub fn rescue_hash(&self, owner: &ProfessionalId, code: &RescueCode) -> TokenHash {
        TokenHash::new(keyed_digest(&self.rescue, &[owner.as_str().as_bytes(), code.secret()]))
    }

    /// The entity tag of a view as given to one actor, quoted: 128 bits. Two actors who see the same bytes get
    /// different tags (THREAT: comparing tags tells that two people see the same).
    #[must_use]
    pub fn etag(&self, actor: &str, view: &[u8]) -> String {
        let digest = keyed_digest(&self.etag, &[actor.as_bytes(), view]);
        let half = digest.first_chunk::<16>().map(|half| BASE64URL_NOPAD.encode(half)).unwrap_or_default();
        format!("\"{half}\"")
    }

    /// The fingerprint of a request under an idempotency key: who, which key, method and route, body.
    #[must_use]
    pub fn idempotency_fingerprint(&self, actor: &str, parts: &[&[u8]]) -> Digest {
        let mut all: Vec<&[u8]> = vec![actor.as_bytes()];
        all.extend_from_slice(parts);
        keyed_digest(&self.idempotency, &all)
    }

    /// Under which failed sign-ins are counted: `kind` is `account` or `network`.
    #[must_use]
    pub fn delay_subject(&self, kind: &str, value: &str) -> Digest {
        keyed_digest(&self.delay, &[kind.as_bytes(), value.as_bytes()])
    }

    /// Under which the texts that somebody did not send are kept.
    #[must_use]
    pub fn kept_forms_subject(&self, owner: &ProfessionalId) -> Digest {
        keyed_digest(&self.kept_forms, &[owner.as_str().as_bytes()])
    }

    /// Seals what an account's opening carries from its first step to its second, for one invitation.
    ///
    /// # Errors
    /// Too long a content, or no randomness.
    pub fn seal_opening(
        &self,
        invitation: &str,
        content: &[u8],
        chance: &dyn Chance,
    ) -> Result<String, SealError> {
        let fields = [invitation.as_bytes()];
        let sealed =
            sealing::seal(&self.opening, self.id.as_bytes(), OPENING_LABEL, &fields, content, chance)?;
        Ok(BASE64URL_NOPAD.encode(&sealed))
    }

    /// Opens what was sealed for the same invitation.
    ///
    /// # Errors
    /// [`OpenError`] for anything else.
    pub fn open_opening(&self, invitation: &str, ticket: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let sealed = BASE64URL_NOPAD.decode(ticket.as_bytes()).map_err(|_| OpenError)?;
        sealing::open(&self.opening, self.id.as_bytes(), OPENING_LABEL, &[invitation.as_bytes()], &sealed)
    }

    /// Seals a cursor for one actor and one query: 74 bytes longer than its content, base64url.
    ///
    /// # Errors
    /// Too long a content, or no randomness.
    pub fn seal_cursor(
        &self,
        actor: &str,
        query: &[u8],
        content: &[u8],
        chance: &dyn Chance,
    ) -> Result<String, SealError> {
        let fields = [actor.as_bytes(), query];
        let sealed = sealing::seal(&self.cursor, self.id.as_bytes(), CURSOR_LABEL, &fields, content, chance)?;
        Ok(BASE64URL_NOPAD.encode(&sealed))
    }

    /// Opens a cursor made for the same actor and query.
    ///
    /// # Errors
    /// [`OpenError`] for anything else.
    pub fn open_cursor(
        &self,
        actor: &str,
        query: &[u8],
        cursor: &str,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let sealed = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| OpenError)?;
        let fields = [actor.as_bytes(), query];
        sealing::open(&self.cursor, self.id.as_bytes(), CURSOR_LABEL, &fields, &sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;

    #[test]
    fn a_login_is_found_without_regard_to_case_and_only_in_its_instance() {
        let chance = SystemChance::new();
        let one = InstanceKeys::derive(&DataKey::generate(&chance).unwrap());
        let two = InstanceKeys::derive(&DataKey::generate(&chance).unwrap());
        assert_eq!(one.login_index("marie.durand"), one.login_index(" Marie.DURAND "));
        assert_ne!(one.login_index("marie.durand"), one.login_index("marie.durant"));
        assert_ne!(one.login_index("marie.durand"), two.login_index("marie.durand"));
        assert_eq!(one.login_index("marie.durand").as_str().len(), 64);
    }

    #[test]
    fn subkeys_of_different_uses_differ() {
        let keys = InstanceKeys::derive(&DataKey::generate(&SystemChance::new()).unwrap());
        let all = [
            &keys.login,
            &keys.session,
            &keys.invitation,
            &keys.rescue,
            &keys.etag,
            &keys.cursor,
            &keys.idempotency,
        ];
        let distinct: std::collections::BTreeSet<&[u8; 32]> = all.iter().map(|k| &***k).collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn a_cursor_opens_for_its_actor_and_query_only() {
        let chance = SystemChance::new();
        let keys = InstanceKeys::derive(&DataKey::generate(&chance).unwrap());
        let cursor = keys.seal_cursor("actor", b"items?p=1", b"row-17", &chance).unwrap();
        assert_eq!(keys.open_cursor("actor", b"items?p=1", &cursor).unwrap().as_slice(), b"row-17");
        assert_eq!(keys.open_cursor("other", b"items?p=1", &cursor), Err(OpenError));
        assert_eq!(keys.open_cursor("actor", b"items?p=2", &cursor), Err(OpenError));
        let other = InstanceKeys::derive(&DataKey::generate(&chance).unwrap());
        assert_eq!(other.open_cursor("actor", b"items?p=1", &cursor), Err(OpenError));
        for bad in ["", "AAAA", "é", &cursor[1..]] {
            assert_eq!(keys.open_cursor("actor", b"items?p=1", bad), Err(OpenError), "{bad}");
        }
    }

    #[test]
    fn entity_tags_and_fingerprints_depend_on_who_asks() {
        let keys = InstanceKeys::derive(&DataKey::generate(&SystemChance::new()).unwrap());
        let tag = keys.etag("actor", b"view");
        assert_eq!(tag, keys.etag("actor", b"view"));
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 24, "{tag}");
        assert_ne!(tag, keys.etag("other", b"view"));
        assert_ne!(tag, keys.etag("actor", b"views"));
        let print = keys.idempotency_fingerprint("actor", &[b"key", b"POST /items", b"{}"]);
        assert_ne!(print, keys.idempotency_fingerprint("other", &[b"key", b"POST /items", b"{}"]));
        assert_ne!(print, keys.idempotency_fingerprint("actor", &[b"key", b"POST /item", b"s{}"]));
    }
}
