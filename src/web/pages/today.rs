//! *Aujourd'hui*: what waits, each line with the act that settles it; then one's own pathways.

use askama::Template;

use super::Page;
use super::icon::Icon;
use super::invitation::taking;
use super::manager;
use super::shell::{Room, Shell};
use super::turning::{self, Turning};
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::service::invitations::InvitationView;
use crate::service::pathways::PathwayLine;
use crate::service::today::{Waiting, WaitingView};
use crate::service::{Act, App, AwaitedDecision};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// How many lines stand on one page; what is left for later goes on the next.
const LINES: usize = 20;

/// How many pathways stand below the lines; the list has them all.
const SHOWN: usize = 12;

/// One thing that waits, with where it is settled.
pub(super) struct Line {
    pub chip: &'static str,
    pub urgent: bool,
    /// Whose situation, with its address.
    pub whose: Option<(String, String)>,
    pub sentence: String,
    pub when: Option<String>,
    /// The number to call about it.
    pub telephone: Option<String>,
    pub href: String,
    pub act: &'static str,
}

/// The first page.
#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    shell: Shell,
    today: chrono::NaiveDate,
    lines: Vec<Line>,
    turning: Turning,
    pathways: Vec<PathwayLine>,
    more: bool,
    may_open: bool,
    /// A secretary follows no pathway: what waits at the office stands here instead.
    office: bool,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        super::row(Method::Get, "/", (Action::List, ResourceKind::Pathway), today).asking(&["fait", "suite"]),
    ]
}

/// Where a line is settled, and in which words.
fn settled(line: &WaitingView) -> (String, &'static str) {
    let at = |rest: &str| format!("/parcours/{}{rest}", line.pathway);
    let object = line.object.as_deref().unwrap_or_default();
    match line.kind {
        Waiting::ReviewOverdue | Waiting::ReviewDue => (at("/bilan"), "Faire le bilan"),
        Waiting::ReviewSoon => (at("/bilan"), "Préparer le bilan"),
        Waiting::ReviewOfStructure => ("/responsable#bilans".to_owned(), "Voir les bilans de la structure"),
        Waiting::HandoverToAnswer => (at(&format!("/passages/{object}")), "Lire et répondre"),
        Waiting::HandoverToConfirm => (at(&format!("/passages/{object}")), "Lire et confirmer"),
        Waiting::StatuteReview => (at(&format!("/protection/{object}")), "Voir ce partage"),
        Waiting::UnreadStay => (at(&format!("/partages/{object}")), "Voir qui appeler"),
        Waiting::CorrectedSince => (at(&format!("/partages/{object}")), "Donner le nouveau texte"),
        Waiting::PlaceToFill => (format!("/responsable/places/{object}"), "Nommer qui prend la place"),
        Waiting::StandInOfStructure => (format!("/responsable/places/{object}"), "Voir la place"),
        Waiting::SignaturesAwaited => (at(&format!("/accords/{object}")), "Voir qui doit signer"),
        Waiting::AccordToSign => (at(&format!("/accords/{object}")), "Faire signer l'accord"),
        Waiting::AccordEnds => (at(&format!("/accords/{object}")), "Voir l'accord et préparer la suite"),
        Waiting::SheetAwaited => {
            (at(&format!("/accords/{object}/signer?acte=feuille")), "Enregistrer la feuille signée")
        }
        Waiting::ConfirmationAwaited => {
            (at(&format!("/accords/{object}/signer?acte=signature")), "Enregistrer sa signature")
        }
        Waiting::ReleaseAwaited => (at(&format!("/validations/{object}/feuille")), "Faire signer la feuille"),
        Waiting::InvitationUnanswered | Waiting::StandInEnds => (at("/cercle"), "Voir le cercle"),
        Waiting::ImpossibilityEnds => (at("/impossible-a-joindre"), "Demander une nouvelle décision"),
        Waiting::AccordEnded => ("/aide".to_owned(), "Comprendre les accords"),
        Waiting::Majority => {
            let day = line.on.as_deref().unwrap_or_default();
            (at(&format!("/accords/preparer?starts={day}")), "Préparer un accord pour ses 18 ans")
        }
        Waiting::DeferralEnds => (at("/consultations/reports"), "Voir les lignes reportées"),
        Waiting::EmergencyOpen => (at(&format!("/urgences/{object}")), "Voir ce qui est ouvert"),
        Waiting::EmergencyKnown => (at("/urgence"), "Voir cet accès"),
        Waiting::EmergencyToTell => (at("/urgence"), "Noter que la famille le sait"),
        Waiting::EmergencyToReview => ("/urgences".to_owned(), "Lire le motif et examiner"),
        Waiting::EmergencyUnreviewed => ("/charte".to_owned(), "Voir qui appeler"),
    }
}

fn line(waiting: WaitingView, today: chrono::NaiveDate) -> Line {
    let (href, act) = settled(&waiting);
    Line {
        chip: waiting.kind.french(),
        urgent: waiting.urgent,
        when: waiting.on.as_deref().map(|day| words::dated(day, &today)),
        // Who looks at emergencies, or answers for a structure, has no pathway to go to.
        whose: match waiting.kind {
            Waiting::EmergencyToReview
            | Waiting::EmergencyUnreviewed
            | Waiting::ReviewOfStructure
            | Waiting::PlaceToFill
            | Waiting::StandInOfStructure => None,
            // A pathway that one does not read any more is not named.
            Waiting::AccordEnded => None,
            _of_a_circle => Some((waiting.name, format!("/parcours/{}", waiting.pathway))),
        },
        sentence: waiting.sentence,
        telephone: waiting.telephone,
        href,
        act,
    }
}

fn invitation(one: InvitationView, today: chrono::NaiveDate) -> Line {
    let from = match (&one.takes_place_of, &one.from) {
        (Some(place), Some(by)) => format!("{} {}.", by.name, taking(place)),
        (Some(place), None) => format!("Votre responsable {}.", taking(place)),
        (None, Some(by)) => format!("{} ({}) vous invite dans un cercle.", by.name, by.organisation),
        (None, None) => "Vous êtes invité dans un cercle.".to_owned(),
    };
    let purposes: Vec<&str> = one.purposes.iter().map(|p| p.french()).collect();
    let why = if purposes.is_empty() { String::new() } else { format!(" Pour : {}.", purposes.join(", ")) };
    Line {
        chip: "Invitation à répondre",
        urgent: true,
        whose: None,
        sentence: match one.name {
            Some(name) => format!("{from} Il s'agit de {name}.{why}"),
            None => format!("{from}{why}"),
        },
        when: Some(words::dated(&one.invited_on, &today)),
        telephone: None,
        href: format!("/invitations/{}", one.id),
        act: "Lire l'invitation",
    }
}

/// Something that this manager decides on: which, never the motive; that is read where it is decided.
fn decision(one: &AwaitedDecision, today: chrono::NaiveDate) -> Line {
    let (subject, title) = manager::kind_words(one.kind);
    Line {
        chip: "À décider",
        urgent: one.until.is_some(),
        whose: None,
        sentence: format!("{title}."),
        when: Some(words::dated(one.until.as_deref().unwrap_or(&one.since), &today)),
        telephone: None,
        href: format!("/responsable/decisions/{}/{subject}", one.id),
        act: "Lire et décider",
    }
}

fn today(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    if let Some(elsewhere) = super::door::without_affectation(app, incoming)? {
        return Ok(elsewhere);
    }
    let today = app.clock().now().paris_day();
    let invitations = app.invitations(call)?.into_inner();
    let view = app.today(call)?.into_inner();
    let mut shell = Shell::signed_in(app, incoming, Room::Today, "Aujourd'hui")?;
    for kept in &mut shell.kept {
        if let Some(known) = view.pathways.iter().find(|p| p.id == kept.pathway) {
            kept.what = format!("{}, {}", kept.what, known.name);
        }
    }
    // Who controls or administers has no pathways: the first page is the one of that work.
    let first = shell.who.as_ref().and_then(|w| w.ways.first());
    if let Some(way) = first
        && matches!(way.room, Room::Audit | Room::Administration)
    {
        return Ok(Answer::see_other(way.href));
    }
    let goes_to = |room| shell.who.as_ref().is_some_and(|w| w.ways.iter().any(|way| way.room == room));
    let may_open = !shell.opens_under().is_empty();
    let office = goes_to(Room::Office);
    let at_the_office = if office { super::office::waiting(app, incoming)? } else { Vec::new() };
    // What a manager decides on waits on a page of its own; the first page says that it is there.
    let decisions = if goes_to(Room::Manager) {
        let act = Act { action: Action::List, resource: ResourceKind::Statute };
        app.decisions_awaited(call, act)?.into_inner().items
    } else {
        Vec::new()
    };
    // Who may be second in what auditors do has no place on a pathway: it is told here, and read on its own page.
    let identities =
        if goes_to(Room::Identities) { super::audit::identities_waiting(app, incoming)? } else { Vec::new() };
    let prunings =
        if goes_to(Room::Prunings) { super::audit::prunings_waiting(app, incoming)? } else { Vec::new() };
    let lines: Vec<Line> = invitations
        .items
        .into_iter()
        .map(|i| invitation(i, today))
        .chain(decisions.iter().map(|d| decision(d, today)))
        .chain(view.waiting.into_iter().map(|w| line(w, today)))
        .chain(at_the_office)
        .chain(identities)
        .chain(prunings)
        .collect();
    let more = view.pathways.len() > SHOWN;
    let pathways = view.pathways.into_iter().take(SHOWN).collect();
    let turning = Turning::to(turning::asked(incoming)?, LINES, lines.len());
    let lines = lines.into_iter().skip(turning.lines().start).take(LINES).collect();
    Answer::page(&TodayPage { shell, today, lines, turning, pathways, more, may_open, office })
}

impl Page for TodayPage {
    #[cfg(test)]
    const NAME: &'static str = "today";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::kept::sample as sample_kept;
        use crate::service::today::sample;
        let today = chrono::NaiveDate::from_ymd_opt(2027, 3, 14).unwrap();
        let page_of = |lines: Vec<Line>, pathways, office: bool| Self {
            shell: super::shell::sample::signed_in(Room::Today, "Aujourd'hui"),
            today,
            turning: Turning::to(1, LINES.max(lines.len()), lines.len()),
            lines,
            pathways,
            more: false,
            may_open: !office,
            office,
        };
        let page = |lines, pathways| page_of(lines, pathways, false);
        let officers = |today| vec![super::audit::identity_line(today), super::audit::pruning_line(today)];
        let every: Vec<Line> = Waiting::ALL
            .iter()
            .map(|kind| {
                let urgent = *kind == Waiting::ReviewOverdue;
                line(sample(*kind, Some("2027-03-20"), urgent, "Une phrase du service."), today)
            })
            .collect();
        let asked = InvitationView {
            id: "place".to_owned(),
            pathway: "pathway".to_owned(),
            from: Some(super::frame::sample::who(
                "Nadia Benali",
                "Ville",
                crate::domain::vocabulary::Profession::ReferentPre,
            )),
            takes_place_of: None,
            purposes: vec![crate::domain::vocabulary::Purpose::Coordination],
            mandate: crate::domain::vocabulary::Mandate::Contractual,
            role: crate::domain::vocabulary::Role::Participant,
            until: None,
            invited_on: "2027-03-12".to_owned(),
            name: None,
        };
        let left = {
            let mut page = page(Vec::new(), vec![super::pathways::sample_line()]);
            page.shell.kept = vec![sample_kept(false), sample_kept(true)];
            page
        };
        vec![
            ("empty", page(Vec::new(), Vec::new())),
            ("turned", {
                let mut page = page(vec![super::audit::pruning_line(today)], Vec::new());
                page.turning = Turning::to(2, LINES, 3 * LINES);
                page
            }),
            ("text_left", left),
            ("every_line", page(every, vec![super::pathways::sample_line()])),
            ("invited", page(vec![invitation(asked, today)], Vec::new())),
            ("office", page_of(vec![super::office::sample_waiting()], Vec::new(), true)),
            ("officer", page(officers(today), Vec::new())),
            ("office_empty", page_of(Vec::new(), Vec::new(), true)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_today() {
        crate::web::pages::snapshots::check::<TodayPage>();
    }

    /// Every line with the longest sentence that a service says, a name as long as names may be, and as many pathways
    /// as stand below.
    #[test]
    fn the_fullest_first_page_is_light() {
        use crate::service::today::sample;
        use crate::web::pages::snapshots::{full, light};
        let day = chrono::NaiveDate::from_ymd_opt(2027, 3, 14).unwrap();
        let name = || full(160);
        let lines: Vec<Line> = Waiting::ALL
            .iter()
            .cycle()
            .take(LINES)
            .map(|kind| {
                let mut line = line(sample(*kind, Some("2027-03-20"), true, &full(300)), day);
                line.whose = Some((name(), "/parcours/abcdefghijklmnopqrstuvwxyz".to_owned()));
                line.telephone = Some("+33612345678".to_owned());
                line
            })
            .collect();
        let (_, mut page) = TodayPage::samples().into_iter().find(|(n, _)| *n == "text_left").unwrap();
        page.turning = Turning::to(2, LINES, LINES * 3);
        page.lines = lines;
        page.pathways = (0..SHOWN).map(|_| super::super::pathways::longest_line()).collect();
        page.more = true;
        let html = light(&page);
        assert_eq!(html.matches("class=\"urgent\"").count(), LINES);
        assert!(html.contains("21 à 40 sur 60") && html.contains("/?suite=1") && html.contains("/?suite=3"));
    }

    #[test]
    fn every_line_leads_to_a_page_that_is_served() {
        use crate::service::today::sample;
        let routes = crate::web::pages::routes();
        for kind in Waiting::ALL {
            let (href, act) = settled(&sample(*kind, Some("2027-03-20"), false, "Une phrase."));
            let (page, _) = href.split_once('#').unwrap_or((&href, ""));
            let (path, query) = page.split_once('?').unwrap_or((page, ""));
            let asked: Vec<&str> =
                query.split('&').filter_map(|p| p.split_once('=')).map(|(n, _)| n).collect();
            let served = routes
                .iter()
                .filter(|r| r.method == Method::Get && crate::web::route::fits(r.path, path))
                .any(|r| asked.iter().all(|name| r.query.contains(name)));
            assert!(served && !act.is_empty(), "{kind:?} leads to {href}");
        }
    }
}
