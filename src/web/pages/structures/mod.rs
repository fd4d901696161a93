//! Structures and professionals, for who administers them: never the data of a young person.
//!
//! * `mod.rs`: structures, listed, added, corrected, with their people
//! * `people`: accounts, invited, recognised, given a new code, closed
//! * `names`: whether « Qui a regardé ? » names the people of a structure, decided by its manager
//! * `ratings`: whether services had to start again after a handover, in numbers
//! * `form`: the form of a structure read whole, every error at its field
//! * `assignments`: affectations, stated (with what the charter makes of them), confirmed by a second person, ended

mod assignments;
mod form;
mod names;
mod people;
mod ratings;

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::secrecy::SecrecyBasis;
use crate::domain::vocabulary::{Function, OrganisationKind, Profession};
use crate::ids::OrganisationId;
use crate::service::directory::{AssignmentView, OrganisationDetail, OrganisationView};
use crate::service::{AccountState, App, Author, SecondPerson};
use crate::web::api::structures::{OrganisationBody, OrganisationUpdateBody};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// How many empty missions a form offers beside those that are there.
const SPARE_MISSIONS: usize = 3;

/// What the reader may administer, from the affectation alone; each act is decided behind it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reach {
    pub all: bool,
    pub own: Option<OrganisationId>,
}

impl Reach {
    fn of(app: &App, incoming: &Incoming) -> Result<Self, Fault> {
        let greeting = app.greeting(incoming.call()?)?;
        Ok(greeting.acting.map_or_else(Self::default, |a| Self {
            all: a.profession == Profession::Administrator,
            own: (a.function == Function::Manager).then_some(a.organisation),
        }))
    }

    fn any(&self) -> bool {
        self.all || self.own.is_some()
    }

    fn over(&self, organisation: &OrganisationId) -> bool {
        self.all || self.own.as_ref() == Some(organisation)
    }
}

/// The two fields of one mission in a form.
struct MissionField {
    number: usize,
    title: String,
    code: String,
}

/// The fields of the missions that are there, and some empty ones.
fn mission_fields(prefix: &str, there: usize) -> Vec<MissionField> {
    (0..there.saturating_add(SPARE_MISSIONS))
        .map(|at| MissionField {
            number: at.saturating_add(1),
            title: format!("{prefix}missions[{at}].title"),
            code: format!("{prefix}missions[{at}].code"),
        })
        .collect()
}

/// Structures.
#[derive(Template)]
#[template(path = "structures.html")]
struct StructuresPage {
    shell: Shell,
    reach: Reach,
    structures: Vec<OrganisationView>,
    /// What waits for the reader as a second person.
    waiting: SecondPerson,
    missions: Vec<MissionField>,
    entered: Entered,
}

impl StructuresPage {
    fn to_recognise(&self) -> String {
        words::counted(self.waiting.to_recognise.len(), "compte", "comptes")
    }

    fn to_confirm(&self) -> String {
        words::counted(self.waiting.to_confirm.len(), "affectation", "affectations")
    }
}

/// One structure with its people.
#[derive(Template)]
#[template(path = "structure.html")]
struct StructurePage {
    shell: Shell,
    reach: Reach,
    detail: OrganisationDetail,
    missions: Vec<MissionField>,
    entered: Entered,
    /// Somebody corrected it meanwhile: both versions are shown.
    stale: bool,
}

impl StructurePage {
    fn mission(&self, a: &AssignmentView) -> &str {
        self.detail.organisation.missions.iter().find(|m| m.id == a.mission).map_or("", |m| &m.title)
    }

    fn running(&self) -> Vec<&AssignmentView> {
        self.detail.assignments.iter().filter(|a| a.ends_at.is_none() || a.in_force).collect()
    }

    /// Whether nobody here can sign the charter for the structure.
    fn nobody_signs(&self) -> bool {
        !self.detail.assignments.iter().any(|a| a.in_force && a.function == Function::Manager)
    }

    fn ended(&self) -> Vec<&AssignmentView> {
        self.detail.assignments.iter().filter(|a| a.ends_at.is_some() && !a.in_force).collect()
    }
}

/// The text of a secret, in words.
#[must_use]
pub fn basis(code: &str) -> &str {
    match SecrecyBasis::parse(code) {
        Ok(known) => known.french(),
        Err(_older) => code,
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let organisation = |action| (action, ResourceKind::Organisation);
    let own = vec![
        super::row(Method::Get, "/structures", organisation(Action::List), structures),
        super::row(Method::Post, "/structures", organisation(Action::Create), create),
        super::row(Method::Get, "/structures/{organisation}", organisation(Action::Read), structure),
        super::row(Method::Post, "/structures/{organisation}", organisation(Action::Update), update),
    ];
    [own, people::routes(), assignments::routes(), names::routes(), ratings::routes()]
        .into_iter()
        .flatten()
        .collect()
}

fn show_all(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let reach = Reach::of(app, incoming)?;
    let structures = app.organisations(incoming.call()?)?.into_inner().items;
    let waiting = if reach.any() {
        app.awaiting_second_person(incoming.call()?)?.into_inner()
    } else {
        SecondPerson::default()
    };
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Structures")?;
    let missions = mission_fields("", 0);
    Answer::page_with(status, &StructuresPage { shell, reach, structures, waiting, missions, entered })
}

fn structures(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_all(app, incoming, 200, Entered::nothing())
}

fn create(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<String, Fault> {
        let body: OrganisationBody = form::read(&incoming.form, "")?;
        Ok(app.organisation_create(Author::Session(incoming.call()?), &body.draft())?.id)
    };
    match attempt() {
        Ok(id) => Ok(Answer::see_other(format!("/structures/{id}?fait=enregistre"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show_all(app, incoming, status, entered)),
    }
}

fn organisation_of(incoming: &Incoming) -> Result<OrganisationId, Fault> {
    incoming.id("organisation", OrganisationId::parse)
}

/// The particulars of a structure, as its form starts.
fn filled(o: &OrganisationView) -> Entered {
    let version = o.version.to_string();
    let mut fields = vec![
        ("version:int".to_owned(), version.as_str()),
        ("organisation.code".to_owned(), o.code.as_str()),
        ("organisation.kind".to_owned(), o.kind.code()),
        ("organisation.name".to_owned(), o.name.as_str()),
        ("organisation.territory".to_owned(), o.territory.as_str()),
        ("organisation.telephone".to_owned(), o.telephone.as_str()),
    ];
    for (at, mission) in o.missions.iter().enumerate() {
        fields.push((format!("organisation.missions[{at}].code"), &mission.code));
        fields.push((format!("organisation.missions[{at}].title"), &mission.title));
    }
    let borrowed: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    Entered::filled(&borrowed)
}

/// What the form of a structure shows.
enum Shown {
    /// What is stored.
    Fresh,
    /// What was sent to correct it.
    Corrected(Entered),
    /// What is stored, beside what is told of another act on this page.
    Other(Entered),
}

fn show_one(app: &App, incoming: &Incoming, status: u16, shown: Shown) -> Result<Answer, Fault> {
    show_structure(app, incoming, &organisation_of(incoming)?, status, shown)
}

fn show_structure(
    app: &App,
    incoming: &Incoming,
    id: &OrganisationId,
    status: u16,
    shown: Shown,
) -> Result<Answer, Fault> {
    let reach = Reach::of(app, incoming)?;
    let detail = app.organisation(incoming.call()?, id)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Administration, detail.organisation.name.clone())?;
    let missions = mission_fields("organisation.", detail.organisation.missions.len());
    let entered = match shown {
        Shown::Fresh => filled(&detail.organisation),
        Shown::Corrected(entered) => entered,
        Shown::Other(told) => told.over(filled(&detail.organisation)),
    };
    let (entered, stale) = entered.against(detail.organisation.version);
    Answer::page_with(status, &StructurePage { shell, reach, detail, missions, entered, stale })
}

fn structure(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_one(app, incoming, 200, Shown::Fresh)
}

fn update(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = organisation_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let body: OrganisationUpdateBody = form::read(&incoming.form, form::UPDATED)?;
        app.organisation_update(incoming.call()?, &id, body.version, &body.organisation.draft())?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/structures/{}?fait=enregistre", id.as_str()))),
        Err(fault) => back(app, incoming, fault, |status, entered| {
            show_one(app, incoming, status, Shown::Corrected(entered))
        }),
    }
}

#[cfg(test)]
pub(super) mod sample {
    use super::*;
    use crate::domain::vocabulary::Secrecy;
    use crate::ids::{AssignmentId, MissionId, ProfessionalId};
    use crate::service::directory::MissionView;

    pub fn id(letter: &str) -> String {
        format!("{}a", letter.repeat(25))
    }

    pub fn organisation() -> OrganisationView {
        OrganisationView {
            id: OrganisationId::parse(&id("g")).unwrap(),
            version: 2,
            code: "ville".to_owned(),
            name: "Ville de Val-d'Orme".to_owned(),
            kind: OrganisationKind::Town,
            territory: "Val-d'Orme".to_owned(),
            telephone: "01 02 03 04 05".to_owned(),
            missions: vec![MissionView {
                id: MissionId::parse(&id("m")).unwrap(),
                code: "pre".to_owned(),
                title: "Réussite éducative".to_owned(),
            }],
            charter_signed: true,
            names_on_sheets_from: None,
        }
    }

    pub fn assignment(letter: &str, confirmed: bool) -> AssignmentView {
        AssignmentView {
            id: AssignmentId::parse(&id(letter)).unwrap(),
            version: 1,
            professional: ProfessionalId::parse(&id("p")).unwrap(),
            name: "Nadia Benali".to_owned(),
            telephone: "06 12 34 56 78".to_owned(),
            account: AccountState::Confirmed,
            organisation: OrganisationId::parse(&id("g")).unwrap(),
            organisation_name: "Ville de Val-d'Orme".to_owned(),
            yours_to_confirm: false,
            mission: MissionId::parse(&id("m")).unwrap(),
            profession: Profession::ReferentPre,
            function: Function::Practitioner,
            secrecy: Secrecy::Bound,
            secrecy_basis: "casf_l121_6_2".to_owned(),
            secrecy_until: None,
            stated_by: Some("Claire Morin".to_owned()),
            confirmed_by: confirmed.then(|| "Paul Roux".to_owned()),
            in_force: confirmed,
            starts_at: "2027-01-04T08:00:00Z".to_owned(),
            ends_at: None,
        }
    }
}

impl Page for StructuresPage {
    #[cfg(test)]
    const NAME: &'static str = "structures";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |all, structures| Self {
            shell: super::shell::sample::signed_in(Room::Administration, "Structures"),
            reach: Reach { all, own: None },
            structures,
            waiting: SecondPerson::default(),
            missions: mission_fields("", 0),
            entered: Entered::nothing(),
        };
        let colleague = || crate::service::Colleague {
            id: sample::assignment("p", false).professional,
            name: "Karim Haddad".to_owned(),
            telephone: "06 98 76 54 32".to_owned(),
            works: Vec::new(),
        };
        let to_confirm = |letter| {
            let a = sample::assignment(letter, false);
            crate::service::ToConfirm {
                assignment: a.id,
                organisation: a.organisation,
                name: a.name,
                profession: a.profession,
            }
        };
        let mut one = page(true, vec![sample::organisation()]);
        one.waiting = SecondPerson { to_recognise: vec![colleague()], to_confirm: vec![to_confirm("a")] };
        let mut several = page(true, vec![sample::organisation()]);
        several.waiting = SecondPerson {
            to_recognise: vec![colleague(), colleague()],
            to_confirm: vec![to_confirm("a"), to_confirm("b")],
        };
        vec![
            ("administrator", page(true, vec![sample::organisation()])),
            ("reader", page(false, vec![sample::organisation()])),
            ("empty", page(true, Vec::new())),
            ("one_waits", one),
            ("several_wait", several),
        ]
    }
}

impl Page for StructurePage {
    #[cfg(test)]
    const NAME: &'static str = "structure";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |all, assignments| Self {
            shell: super::shell::sample::signed_in(Room::Administration, "Ville de Val-d'Orme"),
            reach: Reach { all, own: None },
            detail: OrganisationDetail { organisation: sample::organisation(), assignments },
            missions: mission_fields("organisation.", 1),
            entered: filled(&sample::organisation()),
            stale: false,
        };
        let ended = AssignmentView {
            in_force: false,
            ends_at: Some("2027-02-04T08:00:00Z".to_owned()),
            ..sample::assignment("e", true)
        };
        let three = || vec![sample::assignment("a", true), sample::assignment("b", false)];
        let mut managed = page(false, three());
        managed.reach.own = Some(managed.detail.organisation.id.clone());
        managed.detail.organisation.names_on_sheets_from = chrono::NaiveDate::from_ymd_opt(2027, 1, 4);
        let mut stale = page(true, three());
        let form = crate::web::form::Form::of(&[("version:int", "1"), ("organisation.name", "Ville")]);
        (stale.entered, stale.stale) =
            Entered::refused(&form, &crate::service::ServiceError::PreconditionFailed)
                .against(sample::organisation().version);
        let mut unsigned = page(true, three());
        unsigned.detail.organisation.charter_signed = false;
        let mut second = page(true, vec![sample::assignment("b", false)]);
        second.detail.assignments[0].yours_to_confirm = true;
        let sent = crate::web::form::Form::of(&[("_once", "once")]);
        let refusal =
            crate::service::ServiceError::rule("nothing_to_confirm", "Cette affectation est déjà confirmée.");
        second.entered = Entered::refused(&sent, &refusal).over(filled(&sample::organisation()));
        vec![
            ("stale", stale),
            ("administrator", page(true, three().into_iter().chain([ended]).collect())),
            ("reader", page(false, three())),
            ("manager", managed),
            ("unsigned", unsigned),
            ("refused_second_person", second),
            ("empty", page(true, Vec::new())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::web::pages::snapshots;

    #[test]
    fn pages_of_structures() {
        snapshots::check::<super::StructuresPage>();
        snapshots::check::<super::StructurePage>();
    }
}
