//! What the family said, recorded on a sheet: a signature, a no, the young person's opinion, an opposition, the talk with
//! a child. For who collected it; the secretary's page is beside (`office`), with the same forms.
//!
//! The page adds one thing to the service: what is said aloud is recorded only once the sheet was read aloud.

use askama::Template;

use super::{Card, Choice, Family, State, act, read, service_name};
use crate::domain::accord::{Opinion, Verification};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::Mode;
use crate::ids::{AccordId, ReleaseId};
use crate::service::{
    AccordView, Act, App, Happening, NoInput, NoticeView, ServiceError, SheetId, TalkInput,
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
    ) -> Self {
        let people = family.signatories();
        Self {
            saying,
            all: all.to_vec(),
            here,
            entered,
            nobody: people.len() < 2,
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
                    let line = super::Line::of(l, &view.state.awaited, family);
                    (line.recipient, line.state, line.awaited)
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
            let paper = form.one("how.mode") == Some(Mode::Paper.code());
            // LAW §5: an accord given aloud is one to a notice that was read out.
            if form.one("how.mode").is_some() && !paper && !form.has("read_aloud", "true") {
                return Err(syntax(FieldErrors::one("read_aloud", EntryError::Missing)));
            }
            let form = if paper {
                form.without(&["read_aloud"])
            } else {
                form.without(&["read_aloud", "how.original_at"])
            };
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
    let family = Family::read(app, incoming, true)?;
    let base = format!("/accords/{}", view.id);
    let here = frame.at(&format!("{base}/signer"));
    let board = Board::of_accord(said(incoming), Saying::ACCORD, here, entered, &view, &family);
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
    let family = Family::read(app, incoming, true)?;
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
        awaited: super::sheet::Signing::all(&notice, &family)
            .into_iter()
            .map(|s| {
                let state = State { class: "wait", icon: Icon::Waiting, words: "À signer".to_owned() };
                (s.recipient, state, s.wanted)
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
    let view = super::sample::accord("partly_signed", crate::service::SeenAs::Collector);
    let here = "/parcours/pathway/accords/aaaaaaaaaaaaaaaaaaaaaaaaaa/signer".to_owned();
    Board::of_accord(saying, all, here, entered, &view, &Family::sample())
}

impl Page for SignPage {
    #[cfg(test)]
    const NAME: &'static str = "accord_sign";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::web::form::Form;
        use crate::web::pages::frame::sample::frame;
        let page = |saying, entered| {
            let (shell, frame) = frame(Part::Accords, "Signatures");
            let view = super::sample::accord("partly_signed", crate::service::SeenAs::Collector);
            let card = Some(Card::of(&view, &Family::sample(), frame.today));
            let base = "/accords/aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
            let board = sample_board(saying, Saying::ACCORD, entered).fitting(&frame);
            Self { shell, frame, card, board, base }
        };
        let mut pages: Vec<(&'static str, Self)> =
            Saying::ACCORD.iter().map(|s| (s.code(), page(*s, Entered::nothing()))).collect();
        let form = Form::of(&[("by", "young_person"), ("how.mode", "telephone")]);
        let wrong = ServiceError::Invalid(FieldErrors::one("read_aloud", EntryError::Missing));
        pages.push(("not_read_aloud", page(Saying::Signature, Entered::refused(&form, &wrong))));
        pages
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_signatures() {
        crate::web::pages::snapshots::check::<super::SignPage>();
    }
}
