//! « Responsable » (S8, S21): exceptions, validations and reviews to decide, holders who cannot be asked, places to fill.
//! Motives only; each decision on a page of its own that says what it will do.

use askama::Template;
use chrono::NaiveDate;

use super::Page;
use super::accords::Choice;
use super::entered::{Entered, back};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::ids::{DeferralId, ImpossibilityId, ParticipationId, PathwayId, StatuteId};
use crate::service::office::{OfficeLine, OfficePlace};
use crate::service::successions::NewSuccession;
use crate::service::{Act, App, AwaitedDecision, AwaitedKind, ImpossibilityDecision, ServiceError};
use crate::web::form::Form;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// What a decision is about, in words.
pub(super) const fn kind_words(kind: AwaitedKind) -> (&'static str, &'static str) {
    match kind {
        AwaitedKind::Exception => ("exception", "Ne pas prévenir les parents ou l'enfant"),
        AwaitedKind::Validation => ("validation", "Partager malgré un refus, pour protéger"),
        AwaitedKind::Review => ("revue", "Revoir un partage prévu par la loi"),
        AwaitedKind::Impossibility => ("impossibilite", "Un titulaire impossible à joindre"),
        AwaitedKind::Deferral => ("report", "« Qui a regardé ? » : reporter une ligne"),
        AwaitedKind::DeferralReview => ("revue-report", "« Qui a regardé ? » : revoir une ligne reportée"),
    }
}

/// What each answer does.
const fn effect(kind: AwaitedKind, accepted: bool) -> &'static str {
    match (kind, accepted) {
        (AwaitedKind::Exception, true) => {
            "Le partage est possible sans information préalable. Vous le revoyez sous 30 jours."
        }
        (AwaitedKind::Exception, false) => {
            "Le partage reste fermé tant que les parents et l'enfant n'ont pas été informés."
        }
        (AwaitedKind::Validation, true) => {
            "Le partage est possible malgré le refus, pour la seule protection de l'enfant."
        }
        (AwaitedKind::Validation, false) => "Rien ne s'ouvre. Le refus de la famille tient.",
        (AwaitedKind::Review, true) => "Le partage reste nécessaire : il continue 30 jours.",
        (AwaitedKind::Review, false) => "Le partage n'est plus nécessaire : il s'arrête.",
        (AwaitedKind::Impossibility, true) => {
            "Sa signature n'est plus attendue jusqu'à la date que vous donnez, six mois au plus."
        }
        (AwaitedKind::Impossibility, false) => "Sa signature reste nécessaire.",
        (AwaitedKind::Deferral, true) => {
            "La ligne ne figure pas sur la feuille jusqu'au jour que vous donnez, 30 jours au plus. La feuille le dit."
        }
        (AwaitedKind::DeferralReview, true) => {
            "La ligne reste absente de la feuille jusqu'au nouveau jour que vous donnez, 30 jours au plus."
        }
        (AwaitedKind::Deferral, false) => "La ligne figure sur la feuille, comme les autres.",
        (AwaitedKind::DeferralReview, false) => "La ligne reparaît sur la feuille dès maintenant.",
    }
}

/// One thing to decide.
struct Waiting {
    id: String,
    subject: &'static str,
    title: &'static str,
    since: String,
    until: Option<String>,
    /// « Demandé par Samira Haddad. Motif : … Concerne : … »
    asked: String,
    stated: String,
    accept: &'static str,
    refuse: &'static str,
    /// The label of a day to give, and what to know of it.
    dated: Option<(&'static str, &'static str)>,
}

/// Who asks, why and about whom: motives and capacities, no name of the family.
fn asked(d: &AwaitedDecision) -> String {
    let mut said = Vec::new();
    said.extend(d.asked_by.as_ref().map(|who| format!("Demandé par {}.", who.name)));
    said.extend(d.motive.as_ref().map(|motive| format!("Motif : {motive}.")));
    said.extend(d.concerns.map(|capacity| format!("Concerne : {}.", capacity.french())));
    said.join(" ")
}

impl Waiting {
    fn of(d: AwaitedDecision) -> Self {
        let (subject, title) = kind_words(d.kind);
        let asked = asked(&d);
        Self {
            id: d.id,
            subject,
            title,
            since: words::moment_of(&d.since),
            until: d.until.as_deref().map(words::day_of),
            asked,
            stated: d.stated,
            accept: effect(d.kind, true),
            refuse: effect(d.kind, false),
            dated: match d.kind {
                AwaitedKind::Impossibility => {
                    Some(("Si oui, jusqu'au (ce jour compris)", "Six mois au plus."))
                }
                AwaitedKind::Deferral | AwaitedKind::DeferralReview => Some((
                    "Si oui, jour où vous revoyez cette décision",
                    "30 jours au plus. Ce jour-là, sans nouvelle décision, la ligne reparaît.",
                )),
                AwaitedKind::Exception | AwaitedKind::Validation | AwaitedKind::Review => None,
            },
        }
    }
}

/// One place of the structure.
struct Place {
    id: String,
    who: String,
    role: &'static str,
    since: String,
    leaving: bool,
    /// The service hands the family its own « Qui a regardé ? ».
    own_sheet: bool,
    pathway: String,
    named: Vec<String>,
    candidates: Vec<Choice>,
}

impl Place {
    /// `number` is that of the situation in the office's list: two that opened on one day are told apart.
    fn of(number: usize, line: &OfficeLine, place: &OfficePlace) -> Self {
        let referent = line.referent.as_ref().map(|r| format!(", référent {}", r.name)).unwrap_or_default();
        let pathway = match &line.opened_on {
            Some(day) => {
                format!("Situation n° {number}, parcours ouvert le {}{referent}", words::day_of(day))
            }
            None => format!("Situation n° {number}, parcours d'une autre structure"),
        };
        Self {
            id: place.id.as_str().to_owned(),
            who: format!("{} ({})", place.who.name, place.who.profession.within_brackets()),
            role: place.role.french(),
            since: words::day_of(&place.since),
            leaving: place.leaving,
            own_sheet: place.own_sheet,
            pathway,
            named: place
                .named
                .iter()
                .map(|n| {
                    let until = n
                        .until
                        .as_deref()
                        .map(|d| format!(" jusqu'au {} inclus", words::day_of(d)))
                        .unwrap_or_default();
                    let state = if n.accepted { "a accepté" } else { "n'a pas encore accepté" };
                    format!("{}{until} : {state}", n.who.name)
                })
                .collect(),
            candidates: place
                .candidates
                .iter()
                .map(|c| Choice::new(c.assignment.as_str(), c.name.clone()))
                .collect(),
        }
    }
}

/// A review of a pathway that the structure leads: near, due or overdue.
struct Review {
    situation: String,
    sentence: String,
    when: Option<String>,
    urgent: bool,
    telephone: Option<String>,
}

impl Review {
    fn of(number: usize, line: &OfficeLine, today: NaiveDate) -> Option<Self> {
        let due = line.review.as_ref()?;
        Some(Self {
            situation: format!("Situation n° {number}"),
            sentence: due.sentence.clone(),
            when: due.on.as_deref().map(|day| words::dated(day, &today)),
            urgent: due.urgent,
            telephone: due.telephone.clone(),
        })
    }
}

/// Everything that waits.
#[derive(Template)]
#[template(path = "manager.html")]
struct ManagerPage {
    shell: Shell,
    waiting: Vec<Waiting>,
    reviews: Vec<Review>,
    leaving: Vec<Place>,
    places: Vec<Place>,
}

/// One decision.
#[derive(Template)]
#[template(path = "manager_decision.html")]
struct DecisionPage {
    shell: Shell,
    waiting: Waiting,
    entered: Entered,
}

/// A successor or a stand-in for one place.
#[derive(Template)]
#[template(path = "manager_place.html")]
struct PlacePage {
    shell: Shell,
    place: Place,
    entered: Entered,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const DECISION: &str = "/responsable/decisions/{decision}/{subject}";
    const PLACE: &str = "/responsable/places/{participation}";
    vec![
        super::row(Method::Get, "/responsable", (Action::List, ResourceKind::Statute), page),
        super::row(Method::Get, DECISION, (Action::Read, ResourceKind::Statute), decision_page),
        super::row(Method::Post, DECISION, (Action::Confirm, ResourceKind::Statute), decide),
        super::row(Method::Get, PLACE, (Action::Read, ResourceKind::Succession), place_page),
        super::row(Method::Post, PLACE, (Action::Invite, ResourceKind::Succession), name),
    ]
}

fn awaited(app: &App, incoming: &Incoming) -> Result<Vec<AwaitedDecision>, Fault> {
    let act = Act { action: Action::List, resource: ResourceKind::Statute };
    Ok(app.decisions_awaited(incoming.call()?, act)?.into_inner().items)
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let waiting = awaited(app, incoming)?.into_iter().map(Waiting::of).collect();
    let office = app.office(incoming.call()?)?.into_inner().items;
    let all = (1..).zip(&office).flat_map(|(n, l)| l.places.iter().map(move |p| Place::of(n, l, p)));
    let (leaving, places) = all.partition(|p| p.leaving);
    let today = app.clock().now().paris_day();
    let mut reviews: Vec<Review> =
        (1..).zip(&office).filter_map(|(n, line)| Review::of(n, line, today)).collect();
    reviews.sort_by_key(|review| !review.urgent);
    let shell = Shell::signed_in(app, incoming, Room::Manager, "Responsable")?;
    Answer::page(&ManagerPage { shell, waiting, reviews, leaving, places })
}

fn show_decision(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let (id, subject) = (incoming.path.get("decision"), incoming.path.get("subject"));
    let found = awaited(app, incoming)?
        .into_iter()
        .find(|d| Some(&d.id) == id && subject.is_some_and(|s| s == kind_words(d.kind).0));
    let waiting = Waiting::of(found.ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?);
    let shell = Shell::signed_in(app, incoming, Room::Manager, "Décider")?;
    Answer::page_with(status, &DecisionPage { shell, waiting, entered })
}

fn decision_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_decision(app, incoming, 200, Entered::first(app, incoming)?)
}

/// The form asks for the last day on which it counts; the service, for the first on which it does not.
fn impossibility(form: &Form) -> Result<ImpossibilityDecision, FieldErrors> {
    let decision: ImpossibilityDecision = form.read()?;
    let until = match decision.until {
        Some(last) => Some(
            last.date()
                .succ_opt()
                .and_then(|day| Day::new(day).ok())
                .ok_or_else(|| FieldErrors::one("until", EntryError::DateOutOfRange))?,
        ),
        None => None,
    };
    Ok(ImpossibilityDecision { until, ..decision })
}

fn decide(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let call = incoming.call()?;
        let subject = incoming.path.get("subject").map(String::as_str);
        let kind = match subject {
            Some("impossibilite") => {
                let id = incoming.id("decision", ImpossibilityId::parse)?;
                let input =
                    impossibility(&incoming.form).map_err(|e| Fault::Syntax(ServiceError::Invalid(e)))?;
                let act = Act { action: Action::Confirm, resource: ResourceKind::Impossibility };
                app.impossibility_decide(call, act, &id, &input)?;
                return Ok(());
            }
            Some("report" | "revue-report") => {
                let id = incoming.id("decision", DeferralId::parse)?;
                let input = incoming.form.read().map_err(|e| Fault::Syntax(ServiceError::Invalid(e)))?;
                let act = Act { action: Action::Confirm, resource: ResourceKind::Deferral };
                app.deferral_decide(call, act, &id, &input)?;
                return Ok(());
            }
            Some("exception") => "exception",
            Some("validation") => "validation",
            Some("revue") => "review",
            Some(_) | None => return Err(Fault::Syntax(ServiceError::AbsentOrRefused)),
        };
        let id = incoming.id("decision", StatuteId::parse)?;
        let syntax = |e: FieldErrors| Fault::Syntax(ServiceError::Invalid(e));
        let mut tree = incoming.form.tree().map_err(syntax)?;
        if let Some(fields) = tree.as_object_mut() {
            fields.insert("kind".to_owned(), serde_json::Value::String(kind.to_owned()));
        }
        let input = crate::web::form::read_tree(tree).map_err(syntax)?;
        app.statute_decide(
            call,
            Act { action: Action::Confirm, resource: ResourceKind::Statute },
            &id,
            &input,
        )?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other("/responsable?fait=decide")),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_decision(app, incoming, status, entered))
        }
    }
}

/// The place that an address names, with the pathway where it is.
fn find_place(app: &App, incoming: &Incoming) -> Result<(PathwayId, Place), Fault> {
    let id = incoming.id("participation", ParticipationId::parse)?;
    let office = app.office(incoming.call()?)?.into_inner().items;
    (1..)
        .zip(&office)
        .flat_map(|(n, l)| l.places.iter().map(move |p| (n, l, p)))
        .find(|(_, _, p)| p.id == id)
        .map(|(n, l, p)| (l.pathway.clone(), Place::of(n, l, p)))
        .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))
}

fn show_place(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let (_, place) = find_place(app, incoming)?;
    let shell = Shell::signed_in(app, incoming, Room::Manager, "Remplacer")?;
    Answer::page_with(status, &PlacePage { shell, place, entered })
}

fn place_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_place(app, incoming, 200, Entered::first(app, incoming)?)
}

fn name(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let form = &incoming.form;
        let syntax = |e: FieldErrors| Fault::Syntax(ServiceError::Invalid(e));
        let new: NewSuccession = form.without(&["how"]).read().map_err(syntax)?;
        let new = match form.one("how") {
            // A stand-in without a last day would be a successor.
            Some("stand_in") if new.last_day.is_none() => {
                return Err(syntax(FieldErrors::one("last_day", EntryError::Missing)));
            }
            Some("stand_in") => new,
            Some("successor") => NewSuccession { last_day: None, ..new },
            // For good or for a time: nobody chooses it for the manager.
            Some(_) | None => return Err(syntax(FieldErrors::one("how", EntryError::Missing))),
        };
        let place = incoming.id("participation", ParticipationId::parse)?;
        let (pathway, _) = find_place(app, incoming)?;
        app.succession_name(incoming.call()?, &pathway, &place, &new)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other("/responsable?fait=nomme")),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_place(app, incoming, status, entered))
        }
    }
}

#[cfg(test)]
fn sample_place(leaving: bool, candidates: bool) -> Place {
    Place {
        id: "q".repeat(26),
        who: "Nadia Benali (Référent de parcours)".to_owned(),
        role: "Référent",
        since: "4 janvier 2027".to_owned(),
        leaving,
        own_sheet: leaving,
        pathway: "Situation n° 3, parcours ouvert le 4 janvier 2027, référent Nadia Benali".to_owned(),
        named: if leaving {
            vec![]
        } else {
            vec!["Marc Delattre jusqu'au 21 août 2027 inclus : a accepté".to_owned()]
        },
        candidates: if candidates { vec![Choice::new("a", "Marc Delattre")] } else { vec![] },
    }
}

#[cfg(test)]
fn sample_reviews() -> Vec<Review> {
    let of = |number, urgent, when: &str, sentence: &str, telephone: Option<&str>| Review {
        situation: format!("Situation n° {number}"),
        sentence: sentence.to_owned(),
        when: Some(when.to_owned()),
        urgent,
        telephone: telephone.map(ToOwned::to_owned),
    };
    vec![
        of(
            1,
            true,
            "14 mars 2027 (il y a 5 jours)",
            "Parcours ouvert le 14 septembre 2026, référent Nadia Benali. Le bilan était prévu le 14 mars 2027. Aucun nouveau partage tant qu'il n'a pas eu lieu ; la lecture s'arrête le 13 avril 2027. Appelez le référent.",
            Some("0601020301"),
        ),
        of(
            3,
            false,
            "4 juillet 2027 (dans 3 mois)",
            "Parcours ouvert le 4 janvier 2027, référent Nadia Benali. Le bilan est prévu le 4 juillet 2027 : voyez avec le référent qu'il se prépare.",
            None,
        ),
    ]
}

#[cfg(test)]
fn sample_waiting(kind: AwaitedKind) -> Waiting {
    Waiting::of(AwaitedDecision {
        pathway: PathwayId::parse(&"a".repeat(26)).unwrap(),
        id: "t".repeat(26),
        kind,
        since: "2027-03-12T10:00:00Z".to_owned(),
        until: Some("2027-04-11T10:00:00Z".to_owned()),
        asked_by: Some(super::frame::sample::who(
            "Samira Haddad",
            "Les Passerelles",
            crate::domain::vocabulary::Profession::SpecialisedPrevention,
        )),
        motive: (kind == AwaitedKind::Impossibility)
            .then(|| "sans réponse, tentatives du 10 mars 2027 et du 11 mars 2027".to_owned()),
        concerns: (kind == AwaitedKind::Impossibility).then_some(crate::domain::vocabulary::Capacity::Parent),
        stated: "Prévenir le père mettrait l'enfant en danger.".to_owned(),
    })
}

impl Page for ManagerPage {
    #[cfg(test)]
    const NAME: &'static str = "manager";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |waiting, reviews, leaving, places| Self {
            shell: super::shell::sample::signed_in(Room::Manager, "Responsable"),
            waiting,
            reviews,
            leaving,
            places,
        };
        let all = [
            AwaitedKind::Exception,
            AwaitedKind::Validation,
            AwaitedKind::Review,
            AwaitedKind::Impossibility,
            AwaitedKind::Deferral,
            AwaitedKind::DeferralReview,
        ];
        vec![
            ("nothing", page(vec![], vec![], vec![], vec![])),
            (
                "everything",
                page(
                    all.into_iter().map(sample_waiting).collect(),
                    sample_reviews(),
                    vec![sample_place(true, true)],
                    vec![sample_place(false, false)],
                ),
            ),
        ]
    }
}

impl Page for DecisionPage {
    #[cfg(test)]
    const NAME: &'static str = "manager_decision";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |kind, entered| Self {
            shell: super::shell::sample::signed_in(Room::Manager, "Décider"),
            waiting: sample_waiting(kind),
            entered,
        };
        let wrong = ServiceError::Invalid(FieldErrors::one("motive", EntryError::Missing));
        vec![
            ("exception", page(AwaitedKind::Exception, Entered::nothing())),
            ("impossibility", page(AwaitedKind::Impossibility, Entered::nothing())),
            ("deferral", page(AwaitedKind::Deferral, Entered::nothing())),
            (
                "until_missing",
                page(
                    AwaitedKind::Deferral,
                    Entered::refused(
                        &Form::of(&[("accepted:bool", "true"), ("motive", "Vu le danger.")]),
                        &ServiceError::rule("until_missing", "Dites quand vous revoyez cette décision.")
                            .at("until"),
                    ),
                ),
            ),
            (
                "motive_missing",
                page(AwaitedKind::Review, Entered::refused(&crate::web::form::Form::default(), &wrong)),
            ),
        ]
    }
}

impl Page for PlacePage {
    #[cfg(test)]
    const NAME: &'static str = "manager_place";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |place| Self {
            shell: super::shell::sample::signed_in(Room::Manager, "Remplacer"),
            place,
            entered: Entered::nothing(),
        };
        vec![("candidates", page(sample_place(true, true))), ("nobody", page(sample_place(true, false)))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_last_day_that_a_manager_gives_counts() {
        let form = |until| super::Form::of(&[("accepted:bool", "true"), ("motive", "Vu."), ("until", until)]);
        let decided = super::impossibility(&form("2027-03-14")).unwrap();
        assert_eq!(decided.until.map(|d| d.iso()).as_deref(), Some("2027-03-15"));
        assert!(super::impossibility(&form("2100-12-31")).is_err());
    }

    #[test]
    fn pages_of_a_manager() {
        crate::web::pages::snapshots::check::<super::ManagerPage>();
        crate::web::pages::snapshots::check::<super::DecisionPage>();
        crate::web::pages::snapshots::check::<super::PlacePage>();
    }
}
