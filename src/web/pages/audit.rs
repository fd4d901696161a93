//! « Contrôle des accès »: the auditor's console, one record whole, and the proof (S4).
//!
//! INVARIANT: a view is its address: codes, pseudonyms and days, so that it can be sent to a colleague who is an auditor too.
//! INVARIANT: one request is one record of the log; no page shows content or the name of a person.

mod chart;
mod exporting;
mod filters;
mod finding;
mod identities;
mod prunings;
mod replaying;
mod report;
mod reviews;

use askama::Template;
use chrono::NaiveDate;

use super::Page;
use super::entered::Entered;
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::audit::LeafBody;
use crate::clock::Timestamp;
use crate::domain::day::french_date;
use crate::domain::explain::{Context, sentence};
use crate::domain::record::{Action, ResourceKind, Verdict};
use crate::domain::rules;
use crate::domain::text::{EntryError, FieldErrors};
use crate::service::{
    App, Console, DayCount, FindingKind, LogState, MOST_GIVEN, RecordLine, RecordSearch, RecordWhole,
    ServiceError, Verification, WitnessState,
};
use crate::web::form::Form;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

use filters::{Chip, List};
use finding::{Found, Way};
#[cfg(test)]
pub(super) use identities::samples::line as identity_line;
pub(super) use identities::waiting as identities_waiting;
#[cfg(test)]
pub(super) use prunings::samples::line as pruning_line;
pub(super) use prunings::waiting as prunings_waiting;

/// A record in the list.
struct Row {
    line: RecordLine,
    /// The addresses that show all of this person, and all of this pathway.
    person: Option<String>,
    pathway: Option<String>,
}

/// Something worth a look.
struct Look {
    kind: &'static str,
    sentence: String,
    href: String,
}

/// Where the log stands, in words.
struct Standing {
    state: LogState,
    /// « jusqu'au 14 mars 2027 à 10 h 05 (il y a 3 min) »
    checkpoint: Option<String>,
    verified: Option<String>,
    reconciled: Option<String>,
    /// What each witness saw last, a sentence for each.
    witnesses: Vec<String>,
    /// What must be looked at now: what is wrong, and what to do.
    alarms: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "audit_console.html")]
struct ConsolePage {
    shell: Shell,
    entered: Entered,
    first: Vec<List>,
    others: Vec<List>,
    chips: Vec<Chip>,
    /// Filters that have the word that was looked for.
    ways: Vec<Way>,
    /// Where nothing was found for a person: the same pseudonym, of a pathway.
    instead: Option<String>,
    /// Whether one of the further filters is set.
    open: bool,
    rows: Vec<Row>,
    next: Option<String>,
    /// The address of the first page, on any other.
    start: Option<String>,
    chart: Option<String>,
    /// First and last day of the chart.
    span: (String, String),
    days: Vec<(String, DayCount)>,
    sums: DayCount,
    looks: Vec<Look>,
    standing: Standing,
}

#[derive(Template)]
#[template(path = "audit_record.html")]
struct RecordPage {
    shell: Shell,
    record: RecordWhole,
    /// What each member says, in words.
    said: Vec<(&'static str, Vec<String>)>,
    person: Option<String>,
    pathway: Option<String>,
    before: Option<u64>,
}

#[derive(Template)]
#[template(path = "audit_proof.html")]
struct ProofPage {
    shell: Shell,
    entered: Entered,
    standing: Standing,
    found: Option<Verification>,
}

const FIND: &str = "/controle/chercher";

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let proof = "/controle/preuve";
    // Before those of a record, whose address has a number in the same place.
    let mut rows = reviews::routes();
    rows.extend(exporting::routes());
    rows.extend(report::routes());
    rows.extend(identities::routes());
    rows.extend(prunings::routes());
    rows.extend(replaying::routes());
    rows.extend([
        super::row(Method::Get, "/controle", (Action::Search, ResourceKind::AuditLog), console)
            .asking(filters::NAMES),
        super::row(Method::Get, FIND, (Action::Search, ResourceKind::AuditLog), console),
        super::row(Method::Post, FIND, (Action::Search, ResourceKind::AuditLog), find),
        super::row(Method::Get, proof, (Action::Read, ResourceKind::Checkpoint), proof_state),
        super::row(Method::Post, proof, (Action::Search, ResourceKind::Checkpoint), verify),
        super::row(
            Method::Get,
            "/controle/preuve/point-de-controle",
            (Action::Export, ResourceKind::Checkpoint),
            checkpoint,
        ),
        super::row(Method::Get, "/controle/{index}", (Action::Read, ResourceKind::AuditLog), record),
        super::row(Method::Get, "/controle/{index}/recu", (Action::Export, ResourceKind::AuditLog), receipt),
    ]);
    rows
}

fn of_person(actor: Option<&String>) -> Option<String> {
    actor.map(|actor| {
        filters::address(&RecordSearch { actor: Some(actor.clone()), ..RecordSearch::default() })
    })
}

fn of_pathway(pathway: Option<&String>) -> Option<String> {
    pathway.map(|pathway| {
        filters::address(&RecordSearch { pathway: Some(pathway.clone()), ..RecordSearch::default() })
    })
}

const fn kind_said(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::OutOfHours => "Hors horaires",
        FindingKind::Bulk => "Beaucoup en peu de temps",
        FindingKind::Refusals => "Refus répétés",
        FindingKind::StatuteUndecided => "À décider",
        FindingKind::StatuteReview => "À réexaminer",
        FindingKind::EmergencyLate => "Examen en retard",
        FindingKind::Curiosity => "Lectures sans acte",
        FindingKind::Dormant => "Affectation qui ne sert pas",
    }
}

impl Standing {
    fn of(state: LogState, now: Timestamp) -> Self {
        let said = |text: &String| {
            Timestamp::parse_rfc3339(text)
                .map(|at| format!("{} ({})", words::moment(at), words::ago(at, now)))
        };
        let seen = |w: &WitnessState| match (w.size, w.at.as_ref().and_then(said)) {
            (Some(size), Some(at)) => format!("{} a vu {size} traces, le {at}.", w.name),
            (Some(_), None) | (None, _) => format!("{} n'a encore rien attesté.", w.name),
        };
        Self {
            checkpoint: state.last_checkpoint_at.as_ref().and_then(said),
            verified: state.last_verified_at.as_ref().and_then(said),
            reconciled: state.last_reconciled_at.as_ref().and_then(said),
            witnesses: state.witnesses.iter().map(seen).collect(),
            alarms: state
                .losses
                .iter()
                .map(|loss| lost(loss))
                .chain(state.witnesses.iter().filter_map(alarm))
                .collect(),
            state,
        }
    }
}

/// A declared loss, which is told for ever.
fn lost(loss: &str) -> (String, String) {
    (
        format!("{loss}."),
        "Ce qui a été perdu ne peut plus être montré. Un point de contrôle, un reçu ou un export gardés ailleurs, de ce \
         temps-là, disent si davantage manque que ce qui a été déclaré : vérifiez ici ceux que vous avez."
            .to_owned(),
    )
}

/// What is wrong with a witness, and what to do.
fn alarm(witness: &WitnessState) -> Option<(String, String)> {
    let name = &witness.name;
    if let Some(theirs) = witness.contradicts {
        return Some((
            format!("Le témoin {name} connaît un autre journal, de {theirs} traces."),
            "Celui-ci n'en est pas la suite : une ancienne copie a pu être remise, ou des traces changées. Ne touchez à rien, \
             prévenez le responsable du traitement, et gardez votre dernier point de contrôle."
                .to_owned(),
        ));
    }
    let since = match witness.size {
        Some(_) => format!("Le témoin {name} n'a rien attesté depuis plus d'une heure."),
        None => format!("Le témoin {name} n'a encore rien attesté."),
    };
    let then = "Le journal s'est allongé sans lui. Demandez à qui administre le serveur s'il répond ; d'ici là, emportez \
                vous-même un point de contrôle.";
    witness.late.then(|| (since, then.to_owned()))
}

impl ConsolePage {
    fn of(
        shell: Shell,
        console: Console,
        search: &RecordSearch,
        entered: Entered,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        let Console { page, from, until, days, findings, state, organisations } = console;
        let refused = !entered.told().is_empty();
        let chart = if refused || days.is_empty() { None } else { Some(chart::by_day(&days, from, until)?) };
        let nothing = page.items.is_empty();
        let rows = page.items.into_iter().filter(|_| !refused).map(|line| Row {
            person: of_person(line.actor.as_ref()),
            pathway: of_pathway(line.pathway.as_ref()),
            line,
        });
        let looks = findings.into_iter().map(|f| Look {
            kind: kind_said(f.kind),
            href: filters::address(&f.search),
            sentence: f.sentence,
        });
        let further = ["actor", "pathway", "category", "purpose", "reason", "rule", "action", "resource"];
        Ok(Self {
            open: further.iter().any(|name| !entered.value(name).is_empty()),
            entered,
            first: filters::first_lists(&organisations),
            others: filters::other_lists(),
            chips: filters::chips(search, &organisations),
            ways: Vec::new(),
            instead: match (&search.actor, &search.pathway) {
                (Some(_), None) if nothing => of_pathway(search.actor.as_ref()),
                _found_or_not_asked => None,
            },
            rows: rows.collect(),
            next: page.next.filter(|_| !refused).map(|cursor| filters::further(search, &cursor)),
            start: search.cursor.as_ref().map(|_| filters::address(search)),
            chart,
            span: (french_date(from), french_date(until)),
            sums: sums(&days, until),
            days: days.into_iter().map(|day| (french_date(day.on), day)).collect(),
            looks: looks.collect(),
            standing: Standing::of(state, now),
            shell,
        })
    }
}

/// All the days of the chart together.
fn sums(days: &[DayCount], until: NaiveDate) -> DayCount {
    days.iter().fold(DayCount { on: until, permit: 0, deny: 0, failed: 0 }, |sum, day| DayCount {
        on: until,
        permit: sum.permit.saturating_add(day.permit),
        deny: sum.deny.saturating_add(day.deny),
        failed: sum.failed.saturating_add(day.failed),
    })
}

fn console(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let asked: Vec<(&str, &str)> = incoming.query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let form = Form::of(&asked);
    let read = filters::read(&incoming.query);
    let (status, search, console, entered) = match read {
        Ok(search) => match app.audit_console(call, incoming.act, &search) {
            Ok(console) => (200, search, console, Entered::sent(&form)),
            // A page of another search, kept or mistyped: what is asked is shown from its beginning.
            Err(error @ ServiceError::Rule { .. }) => {
                let plain = RecordSearch::default();
                let console = app.audit_console(call, incoming.act, &plain)?;
                (422, plain, console, Entered::refused(&form, &error))
            }
            Err(error) => return Err(error.into()),
        },
        Err(errors) => {
            let plain = RecordSearch::default();
            // Recorded as any read: whoever is no auditor is told nothing of filters.
            let console = app.audit_console(call, incoming.act, &plain)?;
            (422, plain, console, Entered::refused(&form, &ServiceError::Invalid(errors)))
        }
    };
    let shell = Shell::signed_in(app, incoming, Room::Audit, "Contrôle des accès")?;
    let page = ConsolePage::of(shell, console.into_inner(), &search, entered, app.clock().now())?;
    Answer::page_with(status, &page)
}

/// What was typed in the box: its view, or what it may mean.
fn find(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let plain = RecordSearch::default();
    // The record of having looked, and what tells who is no auditor nothing of the lists.
    let console = app.audit_console(incoming.call()?, incoming.act, &plain)?.into_inner();
    let lists: Vec<List> =
        filters::first_lists(&console.organisations).into_iter().chain(filters::other_lists()).collect();
    let ways = match finding::find(incoming.form.one("q").unwrap_or_default(), &lists) {
        Found::One(href) => return Ok(Answer::see_other(href)),
        Found::Several(ways) => ways,
        Found::Nothing => Vec::new(),
    };
    let expected = if ways.is_empty() {
        "un numéro de trace, un pseudonyme entier, ou un mot des filtres ; le journal n'a pas de nom de personne"
    } else {
        "un mot plus précis, ou l'un des filtres ci-dessous"
    };
    let errors = FieldErrors::one("q", EntryError::WrongType { expected });
    let entered = Entered::refused(&incoming.form, &ServiceError::Invalid(errors));
    let shell = Shell::signed_in(app, incoming, Room::Audit, "Contrôle des accès")?;
    let page = ConsolePage::of(shell, console, &plain, entered, app.clock().now())?;
    Answer::page_with(422, &ConsolePage { ways, ..page })
}

/// The members of a record, in words; what it does not have is left out.
fn said(record: &RecordWhole, body: &LeafBody) -> Vec<(&'static str, Vec<String>)> {
    let line = &record.line;
    let one = |text: Option<&str>| text.map(|t| vec![t.to_owned()]).unwrap_or_default();
    let decisions = body.facts.iter().map(|t| {
        let reason = sentence(t.reason, &Context::default());
        let verdict = if t.permitted { "autorisé" } else { "refusé" };
        format!("{} : {verdict}. {reason}", words::plural(i64::from(t.objects), "objet", "objets"))
    });
    let facts = body.facts.iter().filter_map(|t| t.facts).map(|f| {
        format!(
            "{} ({}), sujet « {} », but « {} », accord : {}, validé par la famille : {}, partage prévu par la loi : {}",
            f.recipient_profession.french(),
            f.recipient_secrecy.french(),
            f.category.french(),
            f.purpose.french(),
            f.accord.code(),
            if f.family_released { "oui" } else { "non" },
            f.statute.code(),
        )
    });
    [
        ("Quand", vec![words::moment_of(&line.at)]),
        ("Structure", one(line.organisation.as_ref().map(|o| o.name.as_str()))),
        ("Profession", one(line.profession.map(|p| p.french()))),
        ("Fonction", one(line.function.map(|f| f.french()))),
        ("Secret", one(line.secrecy.map(|s| s.french()))),
        ("Ce qui a été fait", one(Some(line.action.french()))),
        ("Sur quoi", one(Some(line.resource.french()))),
        ("Sujets", line.categories.iter().map(|c| c.french().to_owned()).collect()),
        ("But", one(line.purpose.map(|p| p.french()))),
        ("Décision", one(Some(line.decision.french()))),
        ("Raisons", line.reasons.iter().map(|r| sentence(*r, &Context::default())).collect()),
        ("Détail des décisions", decisions.collect()),
        ("Faits sur lesquels on a décidé", facts.collect()),
        ("Clauses et règles", body.clauses.iter().map(|c| rules::clause(c)).collect()),
        ("Repose sur", body.basis.clone()),
        (
            "Oblige à",
            body.obligations
                .iter()
                .map(|o| rules::obligation(o).map_or_else(|| o.clone(), ToOwned::to_owned))
                .collect(),
        ),
        ("Versions de la charte (empreintes)", body.policy_hashes.clone()),
        ("Nombre de fois", line.count.map(|n| vec![n.to_string()]).unwrap_or_default()),
        ("Conservation", one(Some(body.retention.french()))),
        ("Demande", vec![line.request.clone()]),
    ]
    .into_iter()
    .filter(|(_, values)| !values.is_empty())
    .collect()
}

fn record(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let record =
        app.audit_record(incoming.call()?, incoming.act, super::record_index(incoming)?)?.into_inner();
    let body = LeafBody::parse(&record.body).map_err(|e| Fault::Service(ServiceError::internal(e)))?;
    let title = format!("Trace n° {}", record.line.index);
    let shell = Shell::signed_in(app, incoming, Room::Audit, title)?;
    Answer::page(&RecordPage {
        shell,
        said: said(&record, &body),
        person: of_person(record.line.actor.as_ref()),
        pathway: of_pathway(record.line.pathway.as_ref()),
        before: record.line.index.checked_sub(1),
        record,
    })
}

fn receipt(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let index = super::record_index(incoming)?;
    let proof = app.audit_proof(incoming.call()?, incoming.act, index)?.into_inner();
    Ok(super::receipt_file(index, proof))
}

const PLAIN: &str = "text/plain; charset=utf-8";

fn checkpoint(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let note = app.audit_checkpoint(incoming.call()?, incoming.act)?.into_inner();
    let name = format!("point-de-controle-{}.txt", app.clock().now().paris_day());
    Ok(Answer::File { media: PLAIN, name, body: note.into_bytes() })
}

fn show_proof(
    app: &App,
    incoming: &Incoming,
    status: u16,
    entered: Entered,
    found: Option<Verification>,
) -> Result<Answer, Fault> {
    let act = crate::service::Act { action: Action::Read, resource: ResourceKind::Checkpoint };
    let state = app.audit_state(incoming.call()?, act)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Audit, "Preuve du journal")?;
    let standing = Standing::of(state, app.clock().now());
    Answer::page_with(status, &ProofPage { shell, entered, standing, found })
}

fn proof_state(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_proof(app, incoming, 200, Entered::nothing(), None)
}

/// Changes nothing: the answer is the page itself, with what was found.
fn verify(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    match app.audit_verify(incoming.call()?, incoming.act, incoming.form.raw("given")) {
        Ok(found) => show_proof(app, incoming, 200, Entered::sent(&incoming.form), Some(found.into_inner())),
        Err(error) => super::entered::back(app, incoming, error.into(), |status, entered| {
            show_proof(app, incoming, status, entered, None)
        }),
    }
}

impl Page for ConsolePage {
    #[cfg(test)]
    const NAME: &'static str = "audit_console";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        samples::console()
    }
}

impl Page for RecordPage {
    #[cfg(test)]
    const NAME: &'static str = "audit_record";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        samples::record()
    }
}

impl Page for ProofPage {
    #[cfg(test)]
    const NAME: &'static str = "audit_proof";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        samples::proof()
    }
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::snapshots;

    #[test]
    fn pages_of_the_auditor() {
        snapshots::check::<ConsolePage>();
        snapshots::check::<RecordPage>();
        snapshots::check::<ProofPage>();
    }

    #[test]
    fn the_console_of_a_large_territory_is_light() {
        let html = samples::largest().html().unwrap();
        assert!(html.matches("<li>").count() > 20 && html.matches("Structure n°").count() >= 60);
        assert!(html.len() <= snapshots::HEAVIEST, "{} bytes", html.len());
    }
}
