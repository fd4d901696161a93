//! To whom something can be addressed at all: the services of the directory that the charter lets receive, with what it
//! asks for each subject. Read before an accord is prepared or taken back.
//!
//! INVARIANT: it is made from the directory and the charter alone, so that it tells nothing of any pathway (S11).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::consent::{RecipientView, recipient_view};
use super::directory::in_force;
use super::sessions::row_ref;
use super::{Act, App, Call, ServiceError};
use crate::access::facts::AssignmentFacts;
use crate::audit::Disclosed;
use crate::domain::cell::Need;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Function, Level, Profession, Purpose, Secrecy};
use crate::ids::{AssignmentId, MissionId};

/// What the charter asks before this service reads this subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectNeed {
    pub category: Category,
    pub needs: Level,
}

/// Somebody who works there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AddresseePerson {
    #[schema(value_type = String)]
    pub assignment: AssignmentId,
    pub name: String,
}

/// A service, as an accord names it: always all three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AddresseeView {
    #[serde(flatten)]
    pub service: RecipientView,
    /// Whether everybody who works there is bound by secrecy.
    pub bound: bool,
    /// Some are, and others not: it depends on the person.
    pub mixed: bool,
    /// To whom this service reports upward.
    pub accountable: Option<String>,
    pub people: Vec<AddresseePerson>,
    /// Subjects that this purpose carries and that this service may receive.
    pub subjects: Vec<SubjectNeed>,
}

/// Every service that may receive something.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Addressees {
    pub items: Vec<AddresseeView>,
}

/// The level of accord that answers a need; none answers « jamais ».
#[must_use]
pub const fn level_of(need: Need) -> Option<Level> {
    match need {
        Need::Opening => Some(Level::Opening),
        Need::Category => Some(Level::Category),
        Need::Informed => Some(Level::Informed),
        Need::Never => None,
    }
}

impl App {
    /// The services that may receive something for this purpose.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn addressees(&self, call: &Call, purpose: Purpose) -> Result<Disclosed<Addressees>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Organisation };
        self.read_desk(call, act, |desk| {
            in_force(desk)?;
            let matrix = desk.book.in_force(desk.now).ok_or(ServiceError::AbsentOrRefused)?.matrix.clone();
            let mut items = Vec::new();
            for organisation in desk.snapshot.organisations()? {
                let people = desk.snapshot.professionals_in(&organisation.id)?;
                let mut services: BTreeMap<(Profession, MissionId), Vec<AssignmentFacts>> = BTreeMap::new();
                for row in desk.snapshot.assignments_in(&organisation.id)? {
                    let a = row.facts;
                    let serves = match a.function {
                        Function::Practitioner | Function::Manager => true,
                        Function::Secretary => false,
                    };
                    if serves && a.in_force(desk.now) && !a.profession.is_platform() {
                        services.entry((a.profession, a.mission.clone())).or_default().push(a);
                    }
                }
                for ((profession, mission), serving) in services {
                    let rows: BTreeSet<Secrecy> =
                        serving.iter().map(|a| a.secrecy_at(desk.now).receiving()).collect();
                    if rows.iter().all(|s| matrix.all_never(profession, *s)) {
                        continue;
                    }
                    let need = |category: Category| {
                        rows.iter()
                            .map(|s| matrix.cell(profession, *s, category).need())
                            .filter(|n| *n != Need::Never)
                            .max()
                            .and_then(level_of)
                    };
                    let subjects = Category::ALL
                        .iter()
                        .filter(|c| matrix.purpose_carries(purpose, **c))
                        .filter_map(|c| need(*c).map(|needs| SubjectNeed { category: *c, needs }))
                        .collect();
                    let mut named: Vec<AddresseePerson> = serving
                        .iter()
                        .filter_map(|a| {
                            let person = people.iter().find(|person| person.id == a.professional)?;
                            let name = person.words.name.clone();
                            Some(AddresseePerson { assignment: a.id.clone(), name })
                        })
                        .collect();
                    named.sort_by(|a, b| a.name.cmp(&b.name));
                    items.push(AddresseeView {
                        service: recipient_view(&organisation, profession, mission),
                        bound: rows.iter().all(|s| *s == Secrecy::Bound),
                        mixed: rows.len() > 1 && rows.contains(&Secrecy::Bound),
                        accountable: super::members::accountable(profession),
                        people: named,
                        subjects,
                    });
                }
                desk.returned.push(row_ref("organisation", organisation.id.as_str(), organisation.version));
            }
            Ok(Addressees { items })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::testing::Territory;

    #[test]
    fn the_charter_says_who_may_be_addressed_and_what_each_subject_asks() {
        let t = Territory::new();
        let found = t.app.addressees(&t.call("referente"), Purpose::Coordination).unwrap();
        let of = |p: Profession| found.items.iter().find(|a| a.service.profession == p);
        assert!(of(Profession::Auditor).is_none() && of(Profession::Administrator).is_none());
        let aemo = of(Profession::Aemo).unwrap();
        assert!(aemo.accountable.as_deref().is_some_and(|s| s.contains("juge")));
        assert!(!aemo.people.is_empty());
        let need = |c: Category| aemo.subjects.iter().find(|s| s.category == c).map(|s| s.needs);
        assert_eq!(need(Category::Identity), Some(Level::Opening));
        assert_eq!(need(Category::HealthDetailed), None);
    }
}
