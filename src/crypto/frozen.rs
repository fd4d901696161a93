//! The formats of ADR 0004, frozen: known answers computed by a separate program (Python's standard library, with
//! its own AES and GHASH) from the words of that document alone. A change here loses data that people have.

use data_encoding::HEXLOWER;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::envelope::{DataKey, DataKeyId, Place};
use super::kek::{FileKek, KekPlacement};
use super::keyring::{InstanceKeys, KeyOwner, Keyring, WrappedKey};
use super::token::SessionToken;
use crate::clock::{Chance, NoChance};
use crate::domain::record::RetentionClass;

const VALUE: &str = "0101a0a1a2a3a4a5a6a707070707070707070707070707070707569183cbc1fff0032c7769c6fa55e9d52672\
             b2b3339f15bb6fd832bacc8e2a276f3f0aeb4c5197478d7fcad58416e64923ef45030096a2f07c03377f1c35\
             d2de75fd05332c";
const WRAPPED: &str = "0101657dd1b8df5f40510707070707070707070707070707070772268c1713d879abc899b23796a9bdb42aa6\
             de7bb5e96133a9ce338599a7ae09d993391d0dfbe974f2aa249ac464ef71e0c2efea5400d68e51431d31dd1e\
             5675cfc36b8e2d8d3fe260ddbd11acf3ba91";
const COMMIT: &str = "0f8654795cb6869774e555d8853ae5039155922cb807a69d1461123e97fafe26";
const KEK_ID: &str = "657dd1b8df5f4051";
const PLACE: Place<'static> = Place { table: "item_version", row: "abc", column: "content", version: 3 };

struct Sevens;
impl Chance for Sevens {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoChance> {
        into.fill(7);
        Ok(())
    }
}

fn bytes_from(first: u8) -> [u8; 32] {
    std::array::from_fn(|i| first + u8::try_from(i).unwrap())
}

fn id() -> DataKeyId {
    DataKeyId::parse("a0a1a2a3a4a5a6a7").unwrap()
}

fn key() -> DataKey {
    DataKey::from_parts(id(), Zeroizing::new(bytes_from(0)))
}

#[test]
fn a_value_of_the_first_version_still_opens_and_is_still_made() {
    let sealed = HEXLOWER.decode(VALUE.as_bytes()).unwrap();
    assert_eq!(key().open(PLACE, &sealed).unwrap().as_slice(), b"Il a peur de rentrer.");
    assert_eq!(key().seal(PLACE, b"Il a peur de rentrer.", &Sevens).unwrap(), sealed);
}

#[test]
fn a_key_wrapped_by_the_first_version_still_unwraps() {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(HEXLOWER.encode(&bytes_from(0)).as_bytes()).unwrap();
    let keyring = Keyring::new(Arc::new(FileKek::open(&path, KekPlacement::Demonstration).unwrap()));
    assert_eq!(keyring.kek_id().to_string(), KEK_ID);
    let secret = DataKey::from_parts(id(), Zeroizing::new(bytes_from(32)));
    let stored = WrappedKey {
        key_id: id(),
        kek_id: KEK_ID.to_owned(),
        wrapped: HEXLOWER.decode(WRAPPED.as_bytes()).unwrap(),
        commit: secret.commitment(),
    };
    let unwrapped = keyring.unwrap_data_key(&KeyOwner::Instance, &stored).unwrap();
    assert_eq!(unwrapped.secret(), &bytes_from(32));
}

#[test]
fn digests_of_the_first_version_are_still_found() {
    let hex = |digest: [u8; 32]| HEXLOWER.encode(&digest);
    assert_eq!(hex(key().commitment()), COMMIT);
    assert_eq!(
        hex(key().keyed_digest("notice", &[b"ab", b"c"])),
        "c9ebb2298d2edc9cb22cfa33b15bf926100fbc00ca8d73db981aec5f6ad3d0b1"
    );
    let keys = InstanceKeys::derive(&key());
    assert_eq!(
        keys.login_index("Marie.Durand").as_str(),
        "a99d69921eb950e15a2427eed0471e8720041e224e98431b84f10683c28f1a28"
    );
    let token = SessionToken::parse(&data_encoding::BASE64URL_NOPAD.encode(&[9; 32])).unwrap();
    assert_eq!(
        keys.session_hash(&token).to_hex(),
        "bce4cf90e5550434bda4308de9e3b7804cca26f3c0aa587a74ddc43e85592918"
    );
}

#[test]
fn owners_are_written_as_they_were() {
    let class = RetentionClass::Disclosure;
    assert_eq!(KeyOwner::Instance.as_text(), "instance");
    assert_eq!(KeyOwner::Pseudonyms { class, year: 2026 }.as_text(), "pseudonyms:disclosure:2026");
    assert_eq!(KeyOwner::Log { origin: "a.example/log".to_owned() }.as_text(), "log:a.example/log");
}
