//! Tests of records before the lane.

use std::collections::BTreeSet;

use super::*;
use crate::audit::LeafBody;
use crate::audit::body::BodyError;
use crate::audit::json;
use crate::audit::memory::{Counting, Plain, draft, key};
use crate::audit::tree::{Frontier, leaf_hash};
use crate::domain::cell::TableFacts;
use crate::domain::cell::{AccordFact, Reason, StatuteFact};
use crate::domain::record::ResourceKind;
use crate::domain::vocabulary::{Category, Function, Secrecy};
use crate::ids::RequestId;

const AT: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn facts() -> TableFacts {
    TableFacts {
        recipient_profession: Profession::Teacher,
        recipient_secrecy: Secrecy::NotBound,
        author_secrecy: Secrecy::Bound,
        category: Category::Schooling,
        purpose: Purpose::Schooling,
        accord: AccordFact::Informed,
        family_released: true,
        statute: StatuteFact::None,
    }
}

fn entry(permitted: bool, objects: u32) -> TrailEntry {
    let (reason, failing) = if permitted {
        (Reason::Accord, vec![])
    } else {
        (Reason::NotShared, vec![Reason::NotShared, Reason::AccordMissing])
    };
    TrailEntry { facts: permitted.then(facts), permitted, reason, failing, objects }
}

/// Every member of the schema is there.
fn full(chance: &dyn Chance) -> RecordDraft {
    let mut full = draft(chance);
    full.actor = Some(ActorStamp {
        professional: ProfessionalId::random(chance).unwrap(),
        assignment: Some(AssignmentId::random(chance).unwrap()),
        organisation: Some(OrganisationId::random(chance).unwrap()),
        profession: Some(Profession::Teacher),
        function: Some(Function::Practitioner),
        secrecy: Some(Secrecy::NotBound),
        session: Some(SessionId::random(chance).unwrap()),
    });
    full.categories = BTreeSet::from([Category::Schooling, Category::Identity, Category::Leisure]);
    full.purpose = Some(Purpose::Schooling);
    full.policy_hashes = vec!["aa".repeat(32), "bb".repeat(32)];
    full.clauses = vec!["teacher.schooling".to_owned()];
    full.basis = vec!["share:abc:3".to_owned()];
    full.reasons = vec![Reason::Accord, Reason::NotShared];
    full.trail = vec![entry(true, 2), entry(false, 1), entry(true, 3)];
    full.obligations = vec!["print_return_or_destroy"];
    let row = |id: &str, version| RowRef { table: "item_version", id: id.to_owned(), version };
    full.returned = vec![row("b", 2), row("a", 1), row("b", 2)];
    full.written = vec![row("c", 1)];
    full.write_digest = Some([7; 32]);
    full.motive = Some("à la demande de la famille".to_owned());
    full.count = Some(4);
    full
}

fn number(draft: &RecordDraft) -> NumberedLeaf {
    Record::prepare(draft, &key(draft.retention), &Plain, &Counting::default()).unwrap().number(
        0,
        AT,
        &mut Frontier::empty(),
    )
}

#[test]
fn a_full_body_reads_back_field_by_field() {
    let chance = Counting::default();
    let draft = full(&chance);
    let leaf = number(&draft);
    let body = LeafBody::parse(&leaf.body).unwrap();
    let actor = draft.actor.as_ref().unwrap();
    let key = key(RetentionClass::Disclosure);
    let detail = leaf.detail.as_ref().unwrap();
    assert_eq!(
        body,
        LeafBody {
            action: draft.action,
            actor: Some(key.assignment(actor.assignment.as_ref().unwrap())),
            at: AT,
            basis: draft.basis.clone(),
            blinder: {
                let mut b = [0; 16];
                Counting::default().fill(&mut b).unwrap();
                b
            },
            categories: draft.categories.clone(),
            clauses: draft.clauses.clone(),
            count: Some(4),
            decision: Verdict::Permit,
            detail_commit: Some(detail.commit),
            facts: vec![entry(false, 1), entry(true, 5)],
            function: actor.function,
            obligations: vec!["print_return_or_destroy".to_owned()],
            organisation: actor.organisation.clone(),
            pathway: Some(key.pathway(draft.pathway.as_ref().unwrap())),
            policy_hashes: draft.policy_hashes.clone(),
            profession: actor.profession,
            purpose: draft.purpose,
            reasons: draft.reasons.clone(),
            request: draft.request.clone(),
            resource: ResourceKind::Item,
            result_digest: Some(sha256(&[br#"[["item_version","a",1],["item_version","b",2]]"#])),
            retention: RetentionClass::Disclosure,
            secrecy: actor.secrecy,
            session: Some(key.session(actor.session.as_ref().unwrap())),
            write_digest: Some([7; 32]),
        }
    );
    assert_eq!(body.index_row(), leaf.row);
    // The members that are read are exactly those that are written, and both in canonical form.
    assert_eq!(json::parse(&leaf.body).unwrap().write(), leaf.body, "not canonical");
    assert_eq!(leaf.leaf_hash, leaf_hash(leaf.body.as_bytes()));
}

/// A change of this text is a change of the format: it needs a new schema number, not a new expectation.
#[test]
fn the_smallest_body_is_fixed_for_ever() {
    let request = RequestId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    let draft = RecordDraft::new(
        request,
        RetentionClass::Technical,
        Action::SignIn,
        ResourceKind::Session,
        Verdict::Deny,
    );
    let leaf = number(&draft);
    assert!(leaf.detail.is_none(), "nothing to tell, nothing to seal");
    assert_eq!(
        leaf.body,
        "{\"action\":\"sign_in\",\"at\":1800000000000000,\"blinder\":\"00000000000000000000000000000000\",\
         \"decision\":\"deny\",\"request\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"resource\":\"session\",\
         \"retention\":\"technical\",\"v\":1}"
    );
}

#[test]
fn the_body_tells_nothing_that_only_the_detail_may_tell() {
    let draft = full(&Counting::default());
    let leaf = number(&draft);
    let actor = draft.actor.as_ref().unwrap();
    let hidden = [
        actor.professional.as_str(),
        actor.assignment.as_ref().unwrap().as_str(),
        actor.session.as_ref().unwrap().as_str(),
        draft.pathway.as_ref().unwrap().as_str(),
        draft.motive.as_deref().unwrap(),
        "item_version",
    ];
    let detail = leaf.detail.as_ref().unwrap();
    let opened = String::from_utf8(detail.ciphertext.clone()).unwrap();
    for secret in hidden {
        assert!(!leaf.body.contains(secret), "{secret} stands in the body");
        assert!(
            opened.contains(secret) || Some(secret) == actor.session.as_ref().map(|s| s.as_str()),
            "{secret}"
        );
    }
    assert!(json::parse(&opened).is_ok());
    assert_eq!(detail.commit, detail_commit(&detail.salt, opened.as_bytes()));
}

#[test]
fn two_records_of_the_same_act_have_unlinked_hashes_and_commitments() {
    let chance = Counting::default();
    let draft = full(&chance);
    let make = || {
        Record::prepare(&draft, &key(draft.retention), &Plain, &chance).unwrap().number(
            0,
            AT,
            &mut Frontier::empty(),
        )
    };
    let (one, two) = (make(), make());
    assert_ne!(one.leaf_hash, two.leaf_hash, "the blinder blinds");
    let (one, two) = (one.detail.unwrap(), two.detail.unwrap());
    assert_ne!(one.commit, two.commit);
    // THREAT: the salt is readable beside the leaf; the detail's own blinder keeps its words from being guessed.
    assert_ne!(one.ciphertext, two.ciphertext);
}

#[test]
fn pseudonyms_change_with_year_class_kind_and_key() {
    let chance = Counting::default();
    let id = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let (pathway, assignment) = (PathwayId::parse(id).unwrap(), AssignmentId::parse(id).unwrap());
    let make =
        |class, year, byte| PseudonymKey::new(class, year, Zeroizing::new([byte; 32])).pathway(&pathway);
    let base = make(RetentionClass::Disclosure, 2027, 9);
    assert_eq!(base, key(RetentionClass::Disclosure).pathway(&pathway));
    assert!(base.as_str().starts_with("2027d:"));
    assert!(make(RetentionClass::Technical, 2027, 9).as_str().starts_with("2027t:"));
    assert!(make(RetentionClass::Disclosure, 2028, 9).as_str().starts_with("2028d:"));
    let digits = |p: &Pseudonym| p.as_str()[6..].to_owned();
    assert_ne!(digits(&base), digits(&make(RetentionClass::Disclosure, 2027, 8)));
    assert_ne!(digits(&base), digits(&key(RetentionClass::Disclosure).assignment(&assignment)));
    assert_eq!(Pseudonym::parse(base.as_str()), Some(base.clone()));
    for bad in [
        "",
        "2027d:",
        "2027x:00000000000000000000000000000000",
        "27d:00000000000000000000000000000000",
        "2027d:0000000000000000000000000000000G",
        "2027d:000000000000000000000000000000000",
    ] {
        assert_eq!(Pseudonym::parse(bad), None, "{bad}");
    }
    let mut signing_in = full(&chance).actor.unwrap();
    signing_in.assignment = None;
    let key = key(RetentionClass::Technical);
    assert_eq!(key.actor(&signing_in), key.professional(&signing_in.professional));
}

#[test]
fn a_key_of_another_class_or_a_failing_sealer_makes_no_record() {
    struct Broken;
    impl DetailSealer for Broken {
        fn seal_detail(
            &self,
            _: Option<&PathwayId>,
            _: &Digest,
            _: &[u8],
        ) -> Result<(DataKeyId, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
            Err("the key is destroyed".into())
        }
    }
    struct Dry;
    impl Chance for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), NoChance> {
            Err(NoChance)
        }
    }
    let chance = Counting::default();
    let mut draft = full(&chance);
    let technical = key(RetentionClass::Technical);
    assert!(matches!(
        Record::prepare(&draft, &technical, &Plain, &chance),
        Err(PrepareError::OtherClass { .. })
    ));
    let key = key(RetentionClass::Disclosure);
    assert!(matches!(Record::prepare(&draft, &key, &Broken, &chance), Err(PrepareError::Seal(_))));
    assert!(matches!(Record::prepare(&draft, &key, &Plain, &Dry), Err(PrepareError::Chance(_))));
    draft.returned = vec![RowRef { table: "t", id: "a".to_owned(), version: i64::MAX }];
    assert!(matches!(Record::prepare(&draft, &key, &Plain, &chance), Err(PrepareError::Version { .. })));
}

#[test]
fn a_body_that_is_not_exactly_of_the_schema_is_refused() {
    let good = number(&full(&Counting::default())).body;
    assert!(LeafBody::parse(&good).is_ok());
    let edit = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        LeafBody::parse(&good.replacen(from, to, 1))
    };
    assert_eq!(edit("\"v\":1", "\"v\":2"), Err(BodyError::Schema(2)));
    assert_eq!(edit("\"action\":\"read\",", ""), Err(BodyError::Missing("action")));
    assert_eq!(edit("\"v\":1", "\"u\":1,\"v\":1"), Err(BodyError::Unknown("u".to_owned())));
    assert_eq!(edit("\"write_digest\"", "\"x\":1,\"y\""), Err(BodyError::Unknown("x".to_owned())));
    assert!(matches!(edit("\"decision\":\"permit\"", "\"decision\":\"Permit\""), Err(BodyError::Word(_))));
    assert_eq!(edit("\"basis\":[\"share:abc:3\"]", "\"basis\":[]"), Err(BodyError::Form("basis")));
    assert_eq!(edit("\"count\":4", "\"count\":-4"), Err(BodyError::Form("count")));
    assert_eq!(edit("\"count\":4", "\"count\":4294967296"), Err(BodyError::Form("count")));
    assert_eq!(edit("\"count\":4", "\"count\":\"4\""), Err(BodyError::Form("count")));
    assert_eq!(edit("identity\",\"leisure", "leisure\",\"identity"), Err(BodyError::Form("categories")));
    assert_eq!(
        edit("\"family_released\":\"yes\"", "\"family_released\":\"maybe\""),
        Err(BodyError::Form("family_released"))
    );
    assert_eq!(edit("\"family_released\":\"yes\",", ""), Err(BodyError::Form("facts")));
    assert_eq!(edit("\"outcome\":\"deny\"", "\"outcome\":\"failed\""), Err(BodyError::Form("outcome")));
    assert_eq!(
        edit("\"decision\"", "\"aa\":1,\"decision\""),
        Err(BodyError::Unknown("aa".to_owned())),
        "out of order"
    );
    assert_eq!(
        edit("\"secrecy\":", "\"count\":4,\"secrecy\":"),
        Err(BodyError::Unknown("count".to_owned())),
        "twice"
    );
    assert!(LeafBody::parse(&format!("{good} ")).is_err());
    assert!(LeafBody::parse(good.strip_suffix('}').unwrap()).is_err());
    assert!(matches!(edit("{\"action\"", "{ \"action\""), Err(BodyError::Json(_))));
    assert!(matches!(edit("2027d:", "2027D:"), Err(BodyError::Form("actor"))));
    assert!(LeafBody::parse("[]").is_err());
}
