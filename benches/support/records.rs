//! Records as full as an opening of shared content leaves them, without a server around them.

use relais::audit::leaf::DetailSealer;
use relais::audit::{PseudonymKey, Record};
use relais::crypto::SystemChance;
use relais::crypto::envelope::{DataKey, DataKeyId};
use relais::crypto::hash::Digest;
use relais::domain::cell::{AccordFact, Reason, StatuteFact, TableFacts};
use relais::domain::record::{
    Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, TrailEntry, Verdict,
};
use relais::domain::vocabulary::{Category, Function, Profession, Purpose, Secrecy};
use relais::ids::{AssignmentId, OrganisationId, PathwayId, ProfessionalId, RequestId, SessionId};
use relais::store::log::detail_place;

struct Under<'a>(&'a DataKey);

impl DetailSealer for Under<'_> {
    fn seal_detail(
        &self,
        _: Option<&PathwayId>,
        commit: &Digest,
        detail: &[u8],
    ) -> Result<(DataKeyId, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
        let row = data_encoding::HEXLOWER.encode(commit);
        Ok((*self.0.id(), self.0.seal(detail_place(&row), detail, &SystemChance::new())?))
    }
}

/// A record as full as an opening of shared content leaves it.
fn draft(chance: &SystemChance) -> RecordDraft {
    let mut draft = RecordDraft::new(
        RequestId::random(chance).unwrap(),
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::Item,
        Verdict::Permit,
    );
    draft.actor = Some(ActorStamp {
        professional: ProfessionalId::random(chance).unwrap(),
        assignment: Some(AssignmentId::random(chance).unwrap()),
        organisation: Some(OrganisationId::random(chance).unwrap()),
        profession: Some(Profession::Teacher),
        function: Some(Function::Practitioner),
        secrecy: Some(Secrecy::NotBound),
        session: Some(SessionId::random(chance).unwrap()),
    });
    draft.pathway = Some(PathwayId::random(chance).unwrap());
    draft.purpose = Some(Purpose::Schooling);
    draft.categories = [Category::Schooling].into();
    draft.policy_hashes = vec!["b".repeat(64)];
    draft.basis = vec![format!("share:{}:1", RequestId::random(chance).unwrap())];
    draft.reasons = vec![Reason::Accord];
    draft.trail = vec![TrailEntry {
        facts: Some(TableFacts {
            recipient_profession: Profession::Teacher,
            recipient_secrecy: Secrecy::NotBound,
            author_secrecy: Secrecy::Bound,
            category: Category::Schooling,
            purpose: Purpose::Schooling,
            accord: AccordFact::Category,
            family_released: true,
            statute: StatuteFact::None,
        }),
        permitted: true,
        reason: Reason::Accord,
        failing: Vec::new(),
        objects: 3,
    }];
    draft
}

/// Makes records under the key of an instance.
pub struct Maker<'a> {
    pseudonyms: PseudonymKey,
    details: Under<'a>,
    chance: SystemChance,
}

impl<'a> Maker<'a> {
    pub fn new(key: &'a DataKey) -> Self {
        let pseudonyms =
            PseudonymKey::new(RetentionClass::Disclosure, 2027, zeroize::Zeroizing::new([1; 32]));
        Self { pseudonyms, details: Under(key), chance: SystemChance::new() }
    }

    pub fn record(&self) -> Record {
        Record::prepare(&draft(&self.chance), &self.pseudonyms, &self.details, &self.chance).unwrap()
    }
}
