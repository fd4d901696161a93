//! Who reads what is not an item.

use super::*;

#[test]
fn what_is_not_an_item_has_its_readers() {
    let f = everybody();
    let table: &[(Resource, &[u8])] = &[
        (Resource::Existence, &[REFERENTE, AEMO, TEACHER, NURSE, PREVENTION]),
        (Resource::Circle, &[REFERENTE, AEMO, TEACHER, NURSE, PREVENTION]),
        (Resource::Consultations, &[REFERENTE]),
        (Resource::ReferentAct, &[REFERENTE]),
        (Resource::Holders, &[REFERENTE]),
        (Resource::HolderChange, &[REFERENTE]),
        (Resource::Act, &[REFERENTE, AEMO, TEACHER, NURSE, PREVENTION]),
        (Resource::ManagerView, &[]),
    ];
    for (r, readers) in table {
        for reader in [REFERENTE, AEMO, DIRECTOR, TEACHER, NURSE, PREVENTION] {
            assert_eq!(resource(&f, reader, r).permitted, readers.contains(&reader), "{r:?} by {reader}");
        }
    }
}

#[test]
fn identity_is_an_item_of_the_lead_and_opens_nothing_to_another_mission_of_its_organisation() {
    let f = everybody();
    assert_eq!(resource(&f, REFERENTE, &Resource::Identity).reason, Reason::OwnItem);
    // The accord for coordination covers identity (cell A) for everybody whom it names, the camp of the town too;
    // without an accord the camp reads nothing, though the town leads.
    assert!(resource(&f, TEACHER, &Resource::Identity).permitted);
    let mut bare = everybody();
    bare.accords.clear();
    for reader in [DIRECTOR, TEACHER] {
        assert!(!resource(&bare, reader, &Resource::Identity).permitted, "{reader}");
    }
}
