//! The statutory record (S7, CASF L226-2-2): sharing between two professionals bound by secrecy, without the accord,
//! to protect a child. What the law asks is asked field by field; a second person decides where it must.

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::sharing::own_items;
use super::shell::Shell;
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::statute::{ExceptionMotive, Ground};
use crate::domain::vocabulary::{Role, Secrecy};
use crate::ids::StatuteId;
use crate::service::reading::ItemView;
use crate::service::{
    Act, App, DecisionKind, ServiceError, StatuteInput, StatuteLine, StatuteState, StatuteView,
};
use crate::web::form::Form;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One's own records, and a new one.
#[derive(Template)]
#[template(path = "protection.html")]
struct ProtectionPage {
    shell: Shell,
    frame: Frame,
    mine: Vec<StatuteLine>,
    items: Vec<ItemView>,
    entered: Entered,
}

/// One record.
#[derive(Template)]
#[template(path = "protection_record.html")]
struct ProtectionRecordPage {
    shell: Shell,
    frame: Frame,
    record: StatuteView,
    /// Where it stands, for its author.
    line: Option<StatuteLine>,
    /// What it covers, to be shared now.
    share: Option<String>,
    entered: Entered,
}

/// LAW: CASF L226-2-2. Age and maturity are a motive for the child alone.
const PARENTS_MOTIVES: &[ExceptionMotive] =
    &[ExceptionMotive::WouldEndanger, ExceptionMotive::Reprisals, ExceptionMotive::WouldDefeatProtection];

impl ProtectionPage {
    /// Only somebody bound can share so, with somebody bound.
    fn bound(&self) -> bool {
        self.frame.view.me.secrecy == Secrecy::Bound
    }

    fn recipients(&self) -> Vec<&crate::service::circle::PlaceView> {
        self.frame
            .view
            .circle
            .iter()
            .filter(|p| !p.me && !p.pending && p.secrecy == Secrecy::Bound)
            .filter(|p| matches!(p.role, Role::Referent | Role::Participant))
            .collect()
    }
}

const fn kind_said(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Exception => "Ne pas informer",
        DecisionKind::Validation => "Malgré le refus de la famille",
        DecisionKind::Review => "Toujours nécessaire",
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    use Method::{Get, Post};
    use ResourceKind::Statute;
    vec![
        super::row(Get, "/parcours/{pathway}/protection", (Action::List, Statute), page),
        super::row(Post, "/parcours/{pathway}/protection", (Action::Create, Statute), create),
        super::row(Get, "/parcours/{pathway}/protection/{statute}", (Action::Read, Statute), record),
        super::row(Post, "/parcours/{pathway}/protection/{statute}/fin", (Action::End, Statute), close),
    ]
}

/// Which of two answers was taken decides which field beside it counts.
fn informed(form: &Form) -> Form {
    let given = |who: &str| form.one(&format!("{who}.information")) == Some("given");
    let fields: Vec<(&str, &str)> = form
        .fields()
        .filter(|(name, _)| match *name {
            "parents.on" => given("parents"),
            "parents.motive" => !given("parents"),
            "child.on" => given("child"),
            "child.motive" => !given("child"),
            _ => true,
        })
        .collect();
    Form::of(&fields)
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let act = Act { action: Action::List, resource: ResourceKind::Statute };
    let mine = app.statutes_own(incoming.call()?, act, &pathway)?.into_inner().items;
    let items = own_items(app, incoming, &pathway)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Partage pour protéger")?;
    Answer::page_with(status, &ProtectionPage { shell, frame, mine, items, entered })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::nothing())
}

fn create(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<String, Fault> {
        let input: StatuteInput = informed(&incoming.form).read().map_err(|e| Fault::Syntax(e.into()))?;
        Ok(app.statute_create(incoming.call()?, incoming.act, &pathway, &input)?.id)
    };
    match attempt() {
        Ok(id) => Ok(Answer::see_other(format!("/parcours/{pathway}/protection/{id}?fait=enregistre"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

fn show_record(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let (call, pathway) = (incoming.call()?, pathway_of(incoming)?);
    let id = incoming.id("statute", StatuteId::parse)?;
    let act = |action| Act { action, resource: ResourceKind::Statute };
    let record = app.statute_read(call, act(Action::Read), &id)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Partage pour protéger")?;
    let line = match frame.view.me.role {
        Role::Referent | Role::Participant => {
            let mine = app.statutes_own(call, act(Action::List), &pathway)?.into_inner().items;
            mine.into_iter().find(|l| l.id == id)
        }
        Role::ContributorOnly | Role::StayOrganiser => None,
    };
    // What its author reads whole stands under its own pathway.
    if record.whole.is_some() && line.is_none() {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    let share = match &line {
        Some(line) if line.state == StatuteState::Complete => {
            let items = own_items(app, incoming, &pathway)?;
            let covered: Vec<&str> = items
                .iter()
                .filter(|i| line.items.iter().any(|v| v.as_str() == i.version_id))
                .map(|i| i.id.as_str())
                .collect();
            Some(frame.at(&format!("/partager?purpose=protection&statute={id}&item={}", covered.join("."))))
        }
        Some(_) | None => None,
    };
    Answer::page_with(status, &ProtectionRecordPage { shell, frame, record, line, share, entered })
}

fn record(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_record(app, incoming, 200, Entered::nothing())
}

fn close(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (pathway, id) = (pathway_of(incoming)?, incoming.id("statute", StatuteId::parse)?);
    let attempt = || -> Result<(), Fault> {
        if incoming.form.one("sure") != Some("true") {
            return Err(Fault::Syntax(ServiceError::rule(
                "sure",
                "Cochez la case : ce partage s'arrêtera pour tous, et ne se rouvre pas.",
            )));
        }
        app.statute_close(incoming.call()?, incoming.act, &id)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{pathway}/protection/{id}?fait=fin"))),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_record(app, incoming, status, entered))
        }
    }
}

#[cfg(test)]
fn sample_line(state: StatuteState) -> StatuteLine {
    StatuteLine {
        id: StatuteId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
        ground: Ground::Danger,
        from: "2027-03-12T09:00:00Z".to_owned(),
        until: Some("2027-04-10T22:00:00Z".to_owned()),
        state,
        items: Vec::new(),
    }
}

impl Page for ProtectionPage {
    #[cfg(test)]
    const NAME: &'static str = "protection";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::{frame, place};
        use super::sharing::sample;
        use crate::domain::vocabulary::Profession;
        let page = |mine, items, secrecy, alone: bool, entered| {
            let (shell, mut frame) = frame(Part::Other, "Partage pour protéger");
            frame.view.me.secrecy = secrecy;
            if !alone {
                frame.view.circle.push(place("Claire Morel", Profession::Aemo, Role::Participant, false));
            }
            Self { shell, frame, mine, items, entered }
        };
        let refused = Entered::refused(
            &Form::of(&[("necessity", "Coups signalés"), ("parents.information", "given")]),
            &ServiceError::Invalid(crate::domain::text::FieldErrors::one(
                "parents.on",
                crate::domain::text::EntryError::Missing,
            )),
        );
        let both = || {
            vec![
                sample_line(StatuteState::AwaitsSecondPerson),
                sample_line(StatuteState::Complete),
                sample_line(StatuteState::Over),
            ]
        };
        vec![
            ("empty", page(Vec::new(), sample::items(), Secrecy::Bound, false, Entered::nothing())),
            ("listed", page(both(), sample::items(), Secrecy::Bound, false, Entered::nothing())),
            ("refused", page(Vec::new(), sample::items(), Secrecy::Bound, false, refused)),
            ("alone", page(Vec::new(), Vec::new(), Secrecy::Bound, true, Entered::nothing())),
            ("not_bound", page(Vec::new(), Vec::new(), Secrecy::Contested, false, Entered::nothing())),
        ]
    }
}

impl Page for ProtectionRecordPage {
    #[cfg(test)]
    const NAME: &'static str = "protection_record";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        use crate::domain::vocabulary::Regime;
        use crate::service::{DecisionWords, StatuteWhole};
        let page = |whole, line: Option<StatuteLine>| {
            let (shell, frame) = frame(Part::Other, "Partage pour protéger");
            let share = line
                .as_ref()
                .filter(|l| l.state == StatuteState::Complete)
                .map(|_| frame.at("/partager?purpose=protection"));
            let record = StatuteView {
                id: sample_line(StatuteState::Over).id,
                regime: Regime::L226_2_2,
                from: "2027-03-12T09:00:00Z".to_owned(),
                until: line.as_ref().and_then(|l| l.until.clone()),
                whole,
            };
            Self { shell, frame, record, line, share, entered: Entered::nothing() }
        };
        let whole = |exception: Option<ExceptionMotive>, decisions| StatuteWhole {
            ground: Ground::Danger,
            necessity: "Coups signalés ; le service doit adapter sa visite.".to_owned(),
            parents_informed: exception.is_none(),
            child_informed: true,
            parents_exception: exception,
            child_exception: None,
            needs_second_person: exception.is_some(),
            items: 1,
            recipients: Vec::new(),
            decisions,
        };
        let decided = DecisionWords {
            kind: DecisionKind::Exception,
            accepted: true,
            at: "2027-03-13T09:00:00Z".to_owned(),
            motive: "Représailles à craindre.".to_owned(),
        };
        vec![
            (
                "awaits",
                page(
                    Some(whole(Some(ExceptionMotive::Reprisals), Vec::new())),
                    Some(sample_line(StatuteState::AwaitsSecondPerson)),
                ),
            ),
            (
                "complete",
                page(
                    Some(whole(Some(ExceptionMotive::Reprisals), vec![decided])),
                    Some(sample_line(StatuteState::Complete)),
                ),
            ),
            ("recipient", page(None, None)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_protection() {
        super::super::snapshots::check::<ProtectionPage>();
        super::super::snapshots::check::<ProtectionRecordPage>();
    }

    #[test]
    fn only_the_field_beside_the_answer_taken_counts() {
        let form = Form::of(&[
            ("parents.information", "given"),
            ("parents.on", "2027-03-01"),
            ("parents.motive", "reprisals"),
            ("child.information", "contrary_to_interest"),
            ("child.on", "2027-03-01"),
            ("child.motive", "maturity"),
        ]);
        let kept = informed(&form);
        assert_eq!(kept.one("parents.on"), Some("2027-03-01"));
        assert_eq!(kept.one("parents.motive"), None);
        assert_eq!(kept.one("child.on"), None);
        assert_eq!(kept.one("child.motive"), Some("maturity"));
    }
}
