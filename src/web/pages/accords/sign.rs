//! What the family said, recorded on a sheet: a signature, a no, the young person's opinion, an opposition, the talk with
//! a child. For who collected it; the secretary's page is beside (`office`), with the same forms.
//!
//! INVARIANT: recording a signature is the act that opens the most: the page says what each signature opens, and who is
//! still awaited after it.

use askama::Template;
use chrono::NaiveDate;

use super::{Card, Choice, Family, State, act, read, service_name};
use crate::domain::accord::{LineKind, Opinion, Verification};
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::FieldErrors;
use crate::domain::vocabulary::Mode;
use crate::ids::{AccordId, ReleaseId};
#[cfg(test)]
use crate::service::{AccordStanding, SeenAs};
use crate::service::{
    AccordView, Act, App, Happening, LineView, NoInput, NoticeView, ServiceError, SheetId, TalkInput,
};
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// What can be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web::pages) enum Saying {
    Signature,
    No,
    Opinion,
    SignedSheet,
    Opposition,
    Withdrawal,
    Talk,
}

impl Saying {
    pub const ACCORD: &'static [Self] = &[
        Self::Signature,
        Self::No,
        Self::Opinion,
        Self::SignedSheet,
        Self::Opposition,
        Self::Withdrawal,
        Self::Talk,
    ];
    pub const OFFICE: &'static [Self] =
        &[Self::Signature, Self::No, Self::Opinion, Self::SignedSheet, Self::Opposition, Self::Withdrawal];
    pub const RELEASE: &'static [Self] =
        &[Self::Signature, Self::No, Self::Opinion, Self::Opposition, Self::Withdrawal, Self::Talk];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::No => "non",
            Self::Opinion => "avis",
            Self::SignedSheet => "feuille",
            Self::Opposition => "opposition",
            Self::Withdrawal => "retrait",
            Self::Talk => "echange",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Signature => "Une signature",
            Self::No => "Quelqu'un dit non",
            Self::Opinion => "L'avis du jeune",
            Self::SignedSheet => "La feuille signée arrive",
            Self::Opposition => "Une opposition",
            Self::Withdrawal => "Cet accord est retiré",
            Self::Talk => "L'échange avec l'enfant",
        }
    }

    pub fn parse(code: Option<&str>) -> Self {
        Self::ACCORD.iter().copied().find(|s| code == Some(s.code())).unwrap_or(Self::Signature)
    }

    const fn action(self) -> Action {
        match self {
            Self::Signature | Self::Opinion | Self::SignedSheet => Action::Sign,
            Self::No => Action::Refuse,
            Self::Opposition => Action::Oppose,
            Self::Withdrawal => Action::Withdraw,
            Self::Talk => Action::Update,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Signature | Self::SignedSheet => "signe",
            Self::No | Self::Opinion | Self::Opposition | Self::Withdrawal | Self::Talk => "note",
        }
    }
}

/// The form of one saying, without what surrounds it: the collector's page and the secretary's share it.
pub(in crate::web::pages) struct Board {
    pub saying: Saying,
    pub all: Vec<Saying>,
    /// The address of this page, without its query.
    pub here: String,
    pub entered: Entered,
    pub people: Vec<Choice>,
    pub boxes: Vec<Choice>,
    pub modes: Vec<Choice>,
    /// Who is still awaited, line by line.
    pub awaited: Vec<(String, State, Vec<String>)>,
    /// What each signature opens: services, and a sentence for each person who is awaited there.
    pub opens: Vec<(String, Vec<String>)>,
    /// Nobody who could sign is recorded.
    pub nobody: bool,
}

impl Board {
    pub fn of_accord(
        saying: Saying,
        all: &'static [Saying],
        here: String,
        entered: Entered,
        view: &AccordView,
        family: &Family,
        today: NaiveDate,
    ) -> Self {
        let people = family.signatories();
        Self {
            saying,
            all: all.to_vec(),
            here,
            entered,
            nobody: people.len() < 2,
            opens: opens(view, family, &people, today),
            people,
            boxes: view
                .lines
                .iter()
                .map(|l| {
                    let who = format!(
                        "{} ({})",
                        service_name(&l.recipient),
                        l.recipient.profession.within_brackets()
                    );
                    Choice::new(l.id.as_str(), who)
                })
                .collect(),
            modes: modes(),
            awaited: view
                .lines
                .iter()
                .map(|l| {
                    let line = super::Line::of(l, view, family);
                    let awaited = l.state.awaited.iter().map(|a| family.awaited(a)).collect();
                    (line.recipient, line.state, awaited)
                })
                .collect(),
        }
    }
}

impl Board {
    /// LAW §5. The talk with a child follows a no said from twelve to fourteen: at another age there is none to record.
    /// An unknown age hides nothing.
    fn fitting(mut self, frame: &Frame) -> Self {
        let concerned = frame.years().is_none_or(|years| (12..=14).contains(&years));
        self.all.retain(|s| concerned || *s != Saying::Talk || *s == self.saying);
        self
    }
}

/// What would be read of one line, once it counts.
fn reads(line: &LineView, accord: &AccordView, today: NaiveDate) -> String {
    let from = Day::parse(&accord.starts).ok().filter(|day| day.date() > today);
    let from = from.map(|day| format!(", à partir du {}", day.french())).unwrap_or_default();
    if line.kind == LineKind::Contributor {
        return format!("pourra apporter des informations{from}, sans en recevoir");
    }
    let named = line.categories.iter().map(|c| c.french());
    let exact = line.exact_words.iter().map(|c| format!("{} (mot pour mot)", c.french()));
    let what: Vec<String> = named.map(ToOwned::to_owned).chain(exact).collect();
    let what = if what.is_empty() { String::new() } else { format!("{}, et ", what.join(", ")) };
    format!("pourra lire{from}, quand vous le partagez : {what}ce que tout accord ouvre pour ce but")
}

/// What each signature would open, line by line; lines of which the same is to be said, together.
fn opens(
    view: &AccordView,
    family: &Family,
    people: &[Choice],
    today: NaiveDate,
) -> Vec<(String, Vec<String>)> {
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    for line in &view.lines {
        for awaited in &line.state.awaited {
            let before = family.awaited(awaited);
            let said: Vec<String> = people
                .iter()
                .filter_map(|p| match family.after(awaited, p.code()) {
                    None => Some(format!("{} signe : {}.", p.french(), reads(line, view, today))),
                    Some(rest) if rest == before => None,
                    Some(rest) => Some(format!("{} signe : il manquera encore {rest}.", p.french())),
                })
                .collect();
            let said = if said.is_empty() { vec![before] } else { said };
            let service = service_name(&line.recipient);
            match out.iter_mut().find(|(_, known)| *known == said) {
                Some((services, _)) => *services = format!("{services} ; {service}"),
                None => out.push((service, said)),
            }
        }
    }
    out
}

fn modes() -> Vec<Choice> {
    [Mode::Paper, Mode::OralPresent, Mode::Telephone]
        .into_iter()
        .map(|m| Choice::new(m.code(), m.french()))
        .collect()
}

/// The collector's page.
#[derive(Template)]
#[template(path = "accord_sign.html")]
struct SignPage {
    shell: Shell,
    frame: Frame,
    card: Option<Card>,
    board: Board,
    /// `/accords/…` or `/validations/…`.
    base: String,
}

/// The rows.
pub(super) fn routes() -> Vec<Route> {
    const ACCORD: &str = "/parcours/{pathway}/accords/{accord}/signer";
    const RELEASE: &str = "/parcours/{pathway}/validations/{release}/signer";
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, ACCORD, (Action::Read, ResourceKind::Accord), page).asking(&["acte", "fait"]),
        row(Method::Post, ACCORD, (Action::Sign, ResourceKind::Accord), record).asking(&["acte"]),
        row(Method::Get, RELEASE, (Action::Read, ResourceKind::Release), release_page)
            .asking(&["acte", "fait"]),
        row(Method::Post, RELEASE, (Action::Sign, ResourceKind::Release), record_release).asking(&["acte"]),
    ]
}

fn said(incoming: &Incoming) -> Saying {
    Saying::parse(incoming.query.get("acte").map(String::as_str))
}

/// What the form says happened.
pub(in crate::web::pages) fn happening(incoming: &Incoming, saying: Saying) -> Result<Happening, Fault> {
    let syntax = |e: FieldErrors| Fault::Syntax(ServiceError::Invalid(e));
    let form = &incoming.form;
    Ok(match saying {
        Saying::Signature => {
            // One form for three ways of signing: what is not of the way that was chosen is not said.
            let of_another = if form.one("how.mode") == Some(Mode::Paper.code()) {
                "how.read_aloud:bool"
            } else {
                "how.original_at"
            };
            let form = form.without(&[of_another]);
            Happening::Signed(form.read().map_err(syntax)?)
        }
        Saying::SignedSheet => Happening::SheetSigned(form.read().map_err(syntax)?),
        Saying::Opinion => Happening::Opinion(form.read().map_err(syntax)?),
        Saying::No => Happening::Refused(form.read::<NoInput>().map_err(syntax)?),
        Saying::Opposition => Happening::Opposed(form.read::<NoInput>().map_err(syntax)?),
        Saying::Withdrawal => Happening::Withdrawn(form.read::<NoInput>().map_err(syntax)?),
        Saying::Talk => Happening::Talk(form.read::<TalkInput>().map_err(syntax)?),
    })
}

/// Records it on an accord, and says which sentence follows.
pub(in crate::web::pages) fn record_on(
    app: &App,
    incoming: &Incoming,
    saying: Saying,
    id: &AccordId,
) -> Result<&'static str, Fault> {
    let happening = happening(incoming, saying)?;
    app.sheet_record(incoming.call()?, act(saying.action()), &SheetId::Accord(id.clone()), &happening)?;
    Ok(saying.done())
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let view = read(app, incoming)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Signatures")?;
    let family = Family::read(app, incoming, true)?.under(&frame);
    let base = format!("/accords/{}", view.id);
    let here = frame.at(&format!("{base}/signer"));
    let board = Board::of_accord(said(incoming), Saying::ACCORD, here, entered, &view, &family, frame.today);
    let board = board.fitting(&frame);
    let card = Some(Card::of(&view, &family, frame.today));
    Answer::page_with(status, &SignPage { shell, frame, card, board, base })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn record(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("accord", AccordId::parse)?;
    let pathway = pathway_of(incoming)?;
    match record_on(app, incoming, said(incoming), &id) {
        Ok(done) => Ok(Answer::see_other(format!("/parcours/{pathway}/accords/{id}?fait={done}"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

fn release_notice(app: &App, incoming: &Incoming, id: &ReleaseId) -> Result<NoticeView, Fault> {
    let act = Act { action: Action::Read, resource: ResourceKind::Release };
    Ok(app.release_notice(incoming.call()?, act, id)?.into_inner())
}

fn show_release(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let id = incoming.id("release", ReleaseId::parse)?;
    let notice = release_notice(app, incoming, &id)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Validation des mots")?;
    let family = Family::read(app, incoming, true)?.under(&frame);
    let base = format!("/validations/{id}");
    let people = family.signatories();
    let board = Board {
        saying: said(incoming),
        all: Saying::RELEASE.to_vec(),
        here: frame.at(&format!("{base}/signer")),
        entered,
        nobody: people.len() < 2,
        people,
        // One box: signing the sheet is ticking it.
        boxes: Vec::new(),
        modes: modes(),
        opens: notice
            .signing
            .iter()
            .map(|s| {
                let after =
                    "Pourra lire ces mots quand toutes les signatures attendues seront là.".to_owned();
                (service_name(&s.recipient), vec![after])
            })
            .collect(),
        awaited: notice
            .signing
            .iter()
            .map(|s| {
                let state = State { class: "wait", icon: Icon::Waiting, words: "À signer".to_owned() };
                (service_name(&s.recipient), state, vec![family.wanted(&s.all_of, &s.any_of)])
            })
            .collect(),
    };
    let board = board.fitting(&frame);
    Answer::page_with(status, &SignPage { shell, frame, card: None, board, base })
}

fn release_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_release(app, incoming, 200, Entered::first(app, incoming)?)
}

fn record_release(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("release", ReleaseId::parse)?;
    let pathway = pathway_of(incoming)?;
    let saying = said(incoming);
    let attempt = || -> Result<(), Fault> {
        let happening = happening(incoming, saying)?;
        let act = Act { action: saying.action(), resource: ResourceKind::Release };
        app.sheet_record(incoming.call()?, act, &SheetId::Release(id.clone()), &happening)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => {
            let done = saying.done();
            Ok(Answer::see_other(format!("/parcours/{pathway}/validations/{id}/signer?fait={done}")))
        }
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_release(app, incoming, status, entered))
        }
    }
}

#[cfg(test)]
pub(in crate::web::pages) fn sample_board(saying: Saying, all: &'static [Saying], entered: Entered) -> Board {
    let view = super::sample::accord(AccordStanding::PartlySigned, SeenAs::Collector);
    let here = "/parcours/pathway/accords/aaaaaaaaaaaaaaaaaaaaaaaaaa/signer".to_owned();
    let today = NaiveDate::from_ymd_opt(2027, 3, 14).unwrap();
    Board::of_accord(saying, all, here, entered, &view, &Family::sample(), today)
}

impl Page for SignPage {
    #[cfg(test)]
    const NAME: &'static str = "accord_sign";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::text::EntryError;
        use crate::web::form::Form;
        use crate::web::pages::frame::sample::frame;
        let page = |saying, entered| {
            let (shell, frame) = frame(Part::Accords, "Signatures");
            let view = super::sample::accord(AccordStanding::PartlySigned, SeenAs::Collector);
            let card = Some(Card::of(&view, &Family::sample(), frame.today));
            let base = "/accords/aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
            let board = sample_board(saying, Saying::ACCORD, entered).fitting(&frame);
            Self { shell, frame, card, board, base }
        };
        let mut pages: Vec<(&'static str, Self)> =
            Saying::ACCORD.iter().map(|s| (s.code(), page(*s, Entered::nothing()))).collect();
        let form = Form::of(&[("by", "young_person"), ("how.mode", "telephone")]);
        let wrong = ServiceError::Invalid(FieldErrors::one("how.read_aloud", EntryError::Missing));
        pages.push(("not_read_aloud", page(Saying::Signature, Entered::refused(&form, &wrong))));
        pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_signatures() {
        crate::web::pages::snapshots::check::<SignPage>();
    }

    #[test]
    fn each_signature_says_what_it_opens_or_who_is_still_awaited() {
        let mut view = super::super::sample::accord(AccordStanding::PartlySigned, SeenAs::Collector);
        let family = Family::sample();
        let today = NaiveDate::from_ymd_opt(2027, 3, 14).unwrap();
        let said = |view: &AccordView, today| opens(view, &family, &family.signatories(), today);
        let first = said(&view, today);
        let [(service, sentences)] = first.as_slice() else { panic!("{first:?}") };
        assert_eq!(service, "Action éducative, Sauvegarde du Val-d'Orme");
        assert_eq!(
            *sentences,
            [
                "Le jeune signe : il manquera encore Sonia Martin.",
                "Sonia Martin (mère) signe : il manquera encore le jeune."
            ]
        );
        for awaited in view.lines.iter_mut().flat_map(|l| &mut l.state.awaited) {
            awaited.all_of.clear();
        }
        let last = said(&view, today);
        let sentence = "Sonia Martin (mère) signe : pourra lire, quand vous le partagez : Scolarité, Santé : le strict \
                        nécessaire (mot pour mot), et ce que tout accord ouvre pour ce but.";
        assert_eq!(last.first().unwrap().1, [sentence]);
        // An accord that begins later opens nothing today, and says so.
        let before = NaiveDate::from_ymd_opt(2027, 2, 1).unwrap();
        assert!(
            said(&view, before).first().unwrap().1.first().unwrap().contains("à partir du 1er mars 2027")
        );
        // A line that stands has nothing more to be signed.
        assert!(
            said(&super::super::sample::accord(AccordStanding::InForce, SeenAs::Collector), today).is_empty()
        );
    }
}
