//! « Qui a regardé ? »: the sheets of who looked, as data and as a table, and the lines that are told later.

use super::rows::{get, post};
use crate::domain::day::Day;
use crate::domain::record::{Action as A, ResourceKind as R};
use crate::ids::{DeferralId, ParticipationId, PathwayId};
use crate::service::{App, DeferralDecision, DeferralInput, DeferralList, LookedSheet, Said, SheetAsk};
use crate::web::route::{Answer, Fault, Incoming, Route, described};
use crate::web::spreadsheet;

/// Query of a sheet.
const ASKED: &[&str] = &["for_whom", "from", "until"];

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    const DEFERRALS: &str = "/api/v1/pathways/{pathway}/deferrals";
    vec![
        get(
            "/api/v1/pathways/{pathway}/consultations/sheet",
            (A::Export, R::Consultations),
            "Who looked, for one person of the family: young_person, or the id of a holder",
            described::<LookedSheet>("LookedSheet"),
            sheet,
        )
        .asking(ASKED),
        Route {
            answer: None,
            ..get(
                "/api/v1/pathways/{pathway}/consultations/sheet.csv",
                (A::Export, R::Consultations),
                "The same sheet as a table (CSV)",
                described::<LookedSheet>("LookedSheet"),
                table,
            )
        }
        .asking(ASKED),
        get(
            "/api/v1/participations/{participation}/consultations/sheet",
            (A::Export, R::Consultations),
            "Who looked, for a service whose taking part is hidden, made by its manager: young_person, or parent",
            described::<LookedSheet>("LookedSheet"),
            sheet_of_service,
        )
        .asking(ASKED),
        get(
            DEFERRALS,
            (A::List, R::Deferral),
            "Lines that are told later, on the sheets that the asker makes",
            described::<DeferralList>("DeferralList"),
            list,
        ),
        post(
            DEFERRALS,
            (A::Create, R::Deferral),
            "Ask a manager that lines be told later",
            Some(described::<DeferralInput>("DeferralInput")),
            ask,
        ),
        post(
            "/api/v1/deferrals/{deferral}/decisions",
            (A::Confirm, R::Deferral),
            "A manager keeps lines back until a review day, or has them told",
            Some(described::<DeferralDecision>("DeferralDecision")),
            decide,
        ),
        post(
            "/api/v1/deferrals/{deferral}/end",
            (A::End, R::Deferral),
            "Whoever makes the sheets has the lines told from now on",
            None,
            end,
        ),
    ]
}

/// What a query asks for; `for_whom` must be there.
fn asked(incoming: &Incoming) -> Result<SheetAsk, Fault> {
    use crate::domain::text::{EntryError, FieldErrors};
    use crate::service::ServiceError;
    let for_whom = incoming.query("for_whom", Said::parse)?.ok_or_else(|| {
        Fault::Syntax(ServiceError::Invalid(FieldErrors::one("for_whom", EntryError::Missing)))
    })?;
    Ok(SheetAsk {
        for_whom,
        from: incoming.query("from", Day::parse)?,
        until: incoming.query("until", Day::parse)?,
    })
}

fn sheet(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    let ask = asked(incoming)?;
    Answer::disclosed(&app.looked_sheet(incoming.call()?, incoming.act, &pathway, &ask)?)
}

fn table(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    let ask = asked(incoming)?;
    let sheet = app.looked_sheet(incoming.call()?, incoming.act, &pathway, &ask)?.into_inner();
    Ok(Answer::Text { media: spreadsheet::MEDIA, body: spreadsheet::looked(&sheet) })
}

fn sheet_of_service(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let place = incoming.id("participation", ParticipationId::parse)?;
    let ask = asked(incoming)?;
    Answer::disclosed(&app.looked_sheet_of_service(incoming.call()?, incoming.act, &place, &ask)?)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    Answer::disclosed(&app.deferral_list(incoming.call()?, incoming.act, &pathway)?)
}

fn ask(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    let input: DeferralInput = incoming.json()?;
    Ok(Answer::created(app.deferral_ask(incoming.call()?, incoming.act, &pathway, &input)?))
}

fn decide(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("deferral", DeferralId::parse)?;
    let input: DeferralDecision = incoming.json()?;
    Ok(Answer::created(app.deferral_decide(incoming.call()?, incoming.act, &id, &input)?))
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("deferral", DeferralId::parse)?;
    Ok(Answer::created(app.deferral_end(incoming.call()?, incoming.act, &id)?))
}
