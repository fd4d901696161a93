//! What surrounds every page of one pathway: whose situation this is, one's own place in it, its parts, and Danger.
//!
//! INVARIANT: it is made from the same recorded read as the API's page of a pathway; a part that a role does not have is
//! not offered, and what is behind each part is decided behind it.

use super::shell::{Room, Shell};
use super::words;
use crate::clock::{Timestamp, birthday};
use crate::domain::day::Day;
use crate::domain::vocabulary::Role;
use crate::ids::PathwayId;
use crate::service::App;
use crate::service::pathways::PathwayView;
use crate::service::people::ContactLine;
use crate::service::who::Reachable;
use crate::web::route::{Fault, Incoming};

/// A part of a pathway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Information,
    Chronology,
    Circle,
    Accords,
    Shares,
    Actions,
    Handovers,
    Consultations,
    Stay,
    Notes,
    /// A page that is none of the parts (Danger, a form).
    Other,
}

impl Part {
    /// The last piece of its address.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Information | Self::Other => "",
            Self::Chronology => "/chronologie",
            Self::Circle => "/cercle",
            Self::Accords => "/accords",
            Self::Shares => "/partages",
            Self::Actions => "/actions",
            Self::Handovers => "/passages",
            Self::Consultations => "/consultations",
            Self::Stay => "/sejour",
            Self::Notes => "/notes",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Information | Self::Other => "Informations",
            Self::Chronology => "Chronologie",
            Self::Circle => "Cercle",
            Self::Accords => "Accords",
            Self::Shares => "Partages",
            Self::Actions => "Actions",
            Self::Handovers => "Passages de relais",
            Self::Consultations => "Qui a consulté",
            Self::Stay => "Séjour",
            Self::Notes => "Mes notes",
        }
    }

    /// What a role is offered.
    #[must_use]
    pub const fn of(role: Role) -> &'static [Self] {
        match role {
            Role::Referent => &[
                Self::Information,
                Self::Chronology,
                Self::Circle,
                Self::Accords,
                Self::Shares,
                Self::Stay,
                Self::Actions,
                Self::Handovers,
                Self::Consultations,
                Self::Notes,
            ],
            Role::Participant => &[
                Self::Information,
                Self::Chronology,
                Self::Circle,
                Self::Accords,
                Self::Shares,
                Self::Stay,
                Self::Actions,
                Self::Handovers,
                Self::Notes,
            ],
            Role::ContributorOnly => &[Self::Information, Self::Circle, Self::Shares, Self::Notes],
            Role::StayOrganiser => &[],
        }
    }
}

/// The head of a page of a pathway.
pub struct Frame {
    pub view: PathwayView,
    pub part: Part,
    pub today: chrono::NaiveDate,
}

/// The pathway that an address names.
///
/// # Errors
/// A malformed id is answered like an absent one.
pub fn pathway_of(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

impl Frame {
    /// Reads the head (recorded), and puts the page under it.
    ///
    /// THREAT: a title stays in the history of the browser after « Quitter vite »: it names nobody.
    ///
    /// # Errors
    /// As the read.
    pub fn read(app: &App, incoming: &Incoming, part: Part, title: &str) -> Result<(Shell, Self), Fault> {
        let view = app.pathway(incoming.call()?, &pathway_of(incoming)?)?.into_inner();
        let shell = Shell::signed_in(app, incoming, Room::Pathways, title)?;
        Ok((shell, Self { view, part, today: app.clock().now().paris_day() }))
    }

    /// An address under this pathway: `self.at("/cercle")`.
    #[must_use]
    pub fn at(&self, rest: &str) -> String {
        format!("/parcours/{}{rest}", self.view.id)
    }

    #[must_use]
    pub fn parts(&self) -> &'static [Part] {
        Part::of(self.view.me.role)
    }

    /// S15: a nickname is all there is, and nothing opens before the name is given.
    #[must_use]
    pub fn nickname_only(&self) -> bool {
        self.view.person.as_ref().is_some_and(|p| p.nickname_only)
    }

    /// Whether this part says first that it waits for the name.
    #[must_use]
    pub fn waits_for_name(&self) -> bool {
        self.nickname_only() && matches!(self.part, Part::Circle | Part::Accords | Part::Shares | Part::Stay)
    }

    /// What the folded list of parts is called: the part one is in.
    #[must_use]
    pub fn part_named(&self) -> String {
        match self.part {
            Part::Other => "Parties du parcours".to_owned(),
            part => format!("Parties du parcours : {}", part.label()),
        }
    }

    /// Whether the reader is the référent, who holds the review.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.view.me.role == Role::Referent
    }

    /// « 15 ans », when the birth date may be read.
    #[must_use]
    pub fn age(&self) -> Option<String> {
        Some(words::plural(self.years()?, "an", "ans"))
    }

    /// Completed years, when the birth date may be read.
    #[must_use]
    pub fn years(&self) -> Option<i64> {
        let born = Day::parse(self.view.person.as_ref()?.birth_date.as_deref()?).ok()?.date();
        let years = (0..130).take_while(|y| birthday(born, y + 1).is_some_and(|d| d <= self.today)).count();
        i64::try_from(years).ok()
    }

    /// Whom to call for the young person, as the family ordered them: those for an emergency, or else the contacts; with
    /// the number as it is dialled and as it is read. Only where the identity may be read.
    #[must_use]
    pub fn emergency_calls(&self) -> Vec<(String, String)> {
        let Some(sheet) = self.view.person.as_ref().and_then(|p| p.identity.as_ref()) else {
            return Vec::new();
        };
        let urgent = sheet.emergency_contacts.iter();
        let urgent: Vec<_> =
            urgent.map(|c| (c.who.as_str().to_owned(), c.number.as_str().to_owned())).collect();
        if !urgent.is_empty() {
            return urgent;
        }
        let said = |c: &ContactLine| format!("{} ({})", c.who.as_str(), c.kind.french());
        sheet.contacts.iter().map(|c| (said(c), c.number.as_str().to_owned())).collect()
    }

    /// Whom to call about this pathway: the référent, or while there is none, who names one.
    #[must_use]
    pub fn to_call(&self) -> Option<&Reachable> {
        self.view.referent.as_ref().or(self.view.instead.as_ref())
    }

    /// « Bilan le 14 mars 2027 (dans 3 mois) ».
    #[must_use]
    pub fn review(&self) -> Option<String> {
        let day = Day::parse(self.view.review_on.as_deref()?).ok()?;
        Some(format!("Bilan le {} ({})", day.french(), words::relative(day.date(), self.today)))
    }

    /// « dans 3 mois », beside a date.
    #[must_use]
    pub fn relative(&self, day: &Day) -> String {
        words::relative(day.date(), self.today)
    }

    #[must_use]
    pub fn closed(&self) -> Option<String> {
        let at = Timestamp::parse_rfc3339(self.view.closed_at.as_deref()?)?;
        Some(words::moment(at))
    }
}

/// Frames for samples.
#[cfg(test)]
pub mod sample {
    use super::*;
    use crate::domain::vocabulary::{Mandate, Profession, Secrecy, Step};
    use crate::service::circle::PlaceView;
    use crate::service::people::PersonView;
    use crate::service::who::Who;

    /// Somebody.
    pub fn who(name: &str, organisation: &str, profession: Profession) -> Who {
        Who { name: name.to_owned(), organisation: organisation.to_owned(), profession }
    }

    /// A place in the circle.
    pub fn place(name: &str, profession: Profession, role: Role, me: bool) -> PlaceView {
        PlaceView {
            id: format!("place-{}", name.len()),
            who: who(name, "Ville de Val-d'Orme", profession),
            mandate: Mandate::Contractual,
            role,
            secrecy: Secrecy::Bound,
            since: "2027-01-04".to_owned(),
            until: None,
            pending: false,
            without_accord: false,
            exercises: true,
            telephone: "06 01 02 03 01".to_owned(),
            in_place_of: None,
            me,
        }
    }

    /// Somebody of the town to call.
    pub fn reachable(name: &str, profession: Profession, telephone: &str) -> Reachable {
        Reachable { who: who(name, "Ville de Val-d'Orme", profession), telephone: telephone.to_owned() }
    }

    /// The head while nobody exercises as référent.
    pub fn without_referent(part: Part, title: &str) -> (Shell, Frame) {
        let (shell, mut frame) = frame_as(Role::Participant, part, title);
        frame.view.referent = None;
        frame.view.instead = Some(reachable("Inès Roche", Profession::ReferentPre, "0601020309"));
        (shell, frame)
    }

    /// The head while reading is suspended.
    pub fn paused(role: Role, part: Part, title: &str) -> (Shell, Frame) {
        let (shell, mut frame) = frame_as(role, part, title);
        frame.view.review_on = Some("2027-02-01".to_owned());
        frame.view.review_due = true;
        frame.view.paused = true;
        (shell, frame)
    }

    /// The head as `role` sees it.
    pub fn frame_as(role: Role, part: Part, title: &str) -> (Shell, Frame) {
        let me = place("Nadia Benali", Profession::ReferentPre, role, true);
        let view = PathwayView {
            id: "pathway".to_owned(),
            name: "Léa Martin".to_owned(),
            name_shared: true,
            person: Some(PersonView {
                name: "Léa Martin".to_owned(),
                nickname_only: false,
                identity: None,
                birth_date: Some("2011-05-02".to_owned()),
                emancipated_on: None,
            }),
            person_version: Some(1),
            step: Some(Step::Accompaniment),
            review_on: Some("2027-06-14".to_owned()),
            review_due: false,
            paused: false,
            opened_on: Some("2027-01-04".to_owned()),
            closed_at: None,
            lead: Some("Ville de Val-d'Orme".to_owned()),
            referent: Some(reachable("Nadia Benali", Profession::ReferentPre, "0601020301")),
            instead: None,
            circle: vec![me.clone()],
            me,
            doors: Vec::new(),
        };
        let shell = super::super::shell::sample::signed_in(Room::Pathways, title);
        let frame = Frame { view, part, today: chrono::NaiveDate::from_ymd_opt(2027, 3, 14).unwrap() };
        (shell, frame)
    }

    /// A young person who gave a nickname and nothing else.
    pub fn nicknamed(part: Part, title: &str) -> (Shell, Frame) {
        let (shell, mut frame) = frame(part, title);
        frame.view.name = "Zed".to_owned();
        if let Some(person) = &mut frame.view.person {
            person.name = "Zed".to_owned();
            person.nickname_only = true;
            person.birth_date = None;
        }
        (shell, frame)
    }

    /// The head as the référente sees it.
    pub fn frame(part: Part, title: &str) -> (Shell, Frame) {
        frame_as(Role::Referent, part, title)
    }

    #[test]
    fn the_age_is_that_of_today() {
        let (_, mut frame) = frame(Part::Information, "x");
        assert_eq!(frame.age().as_deref(), Some("15 ans"));
        frame.today = chrono::NaiveDate::from_ymd_opt(2027, 5, 2).unwrap();
        assert_eq!(frame.age().as_deref(), Some("16 ans"));
        frame.view.person = None;
        assert_eq!(frame.age(), None);
    }
}
