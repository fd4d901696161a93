//! Accords, releases, withdrawals and impossibilities: the rows of the route table, and nothing else.

use crate::domain::record::{Action, ResourceKind};
use crate::ids::{AccordId, ImpossibilityId, PathwayId, ReleaseId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::siblings::SiblingsInput;
use crate::service::{
    AccordInput, AccordList, AccordView, App, Happening, ImpossibilityDecision, ImpossibilityInput, NoInput,
    NoticeView, OpinionInput, ReleaseInput, ReleaseList, SheetId, SheetInput, SignatureInput, TalkInput,
    WithdrawalInput, WithdrawalView,
};
use crate::web::problem::Problem;
use crate::web::route::{Answer, Described, Door, Fault, Incoming, Method, Route, described};

type Handler = fn(&App, &Incoming) -> Result<Answer, Fault>;

fn post(
    path: &'static str,
    action: Action,
    resource: ResourceKind,
    summary: &'static str,
    body: Option<Described>,
    handle: Handler,
) -> Route {
    Route {
        method: Method::Post,
        path,
        door: Door::Session,
        action,
        resource,
        summary,
        query: &[],
        body,
        answer: None,
        handle,
    }
}

fn get(
    path: &'static str,
    action: Action,
    resource: ResourceKind,
    summary: &'static str,
    answer: Described,
    handle: Handler,
) -> Route {
    Route {
        method: Method::Get,
        path,
        door: Door::Session,
        action,
        resource,
        summary,
        query: &[],
        body: None,
        answer: Some(answer),
        handle,
    }
}

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    use ResourceKind::{Accord, Impossibility, Release};
    let mut rows = vec![
        post(
            "/api/v1/pathways/{pathway}/accords",
            Action::Create,
            Accord,
            "Compose an accord with its exact notice",
            Some(described::<AccordInput>("AccordInput")),
            create,
        ),
        post(
            "/api/v1/accords",
            Action::Create,
            Accord,
            "Compose the same accord for several children of one family, each in its own pathway",
            Some(described::<SiblingsInput>("SiblingsInput")),
            siblings,
        ),
        get(
            "/api/v1/pathways/{pathway}/accords",
            Action::List,
            Accord,
            "The accords of a pathway, each as the reader may see it",
            described::<AccordList>("AccordList"),
            list,
        ),
        get(
            "/api/v1/accords/{accord}",
            Action::Read,
            Accord,
            "One accord",
            described::<AccordView>("AccordView"),
            read,
        ),
        get(
            "/api/v1/accords/{accord}/notice",
            Action::Read,
            Accord,
            "The exact notice, and who must sign",
            described::<NoticeView>("NoticeView"),
            notice,
        ),
        post(
            "/api/v1/pathways/{pathway}/withdrawals",
            Action::Withdraw,
            Accord,
            "Record that somebody of the family takes back an accord",
            Some(described::<WithdrawalInput>("WithdrawalInput")),
            withdraw,
        ),
        post(
            "/api/v1/pathways/{pathway}/impossibilities",
            Action::Create,
            Impossibility,
            "Ask a manager to decide that a holder cannot be asked",
            Some(described::<ImpossibilityInput>("ImpossibilityInput")),
            impossibility,
        ),
        post(
            "/api/v1/impossibilities/{impossibility}/decisions",
            Action::Confirm,
            Impossibility,
            "Decide that a holder cannot be asked",
            Some(described::<ImpossibilityDecision>("ImpossibilityDecision")),
            impossibility_decision,
        ),
        post(
            "/api/v1/pathways/{pathway}/releases",
            Action::Create,
            Release,
            "Prepare the sheet on which the family validates exact words",
            Some(described::<ReleaseInput>("ReleaseInput")),
            release,
        ),
        get(
            "/api/v1/pathways/{pathway}/releases",
            Action::List,
            Release,
            "The releases that the asker recorded, each with where its sheet stands",
            described::<ReleaseList>("ReleaseList"),
            release_list,
        ),
        get(
            "/api/v1/releases/{release}/notice",
            Action::Read,
            Release,
            "The exact notice of a release, and who must sign",
            described::<NoticeView>("NoticeView"),
            release_notice,
        ),
    ];
    for row in &mut rows {
        row.answer = match (row.method, row.path) {
            (Method::Post, path) if path.ends_with("/withdrawals") => {
                Some(described::<WithdrawalView>("WithdrawalView"))
            }
            (Method::Post, "/api/v1/accords") => Some(described::<Siblings>("Siblings")),
            _other => row.answer.take(),
        };
    }
    rows.extend(on_accord());
    rows.extend(on_release());
    rows
}

/// A row that records what happened on a sheet: from its body, or from nothing where nothing is said beside it.
macro_rules! happens {
    ($sheet:ident, $path:literal, $action:ident, $resource:ident, $summary:literal, $what:ident) => {
        post($path, Action::$action, ResourceKind::$resource, $summary, None, |app, incoming| {
            happen(app, incoming, $sheet(incoming)?, &Happening::$what)
        })
    };
    ($sheet:ident, $path:literal, $action:ident, $resource:ident, $summary:literal, $what:ident($body:ident)) => {
        post(
            $path,
            Action::$action,
            ResourceKind::$resource,
            $summary,
            Some(described::<$body>(stringify!($body))),
            |app, incoming| {
                happen(app, incoming, $sheet(incoming)?, &Happening::$what(incoming.json::<$body>()?))
            },
        )
    };
}

#[rustfmt::skip]
fn on_accord() -> Vec<Route> {
    vec![
        happens!(accord, "/api/v1/accords/{accord}/printing", Print, Accord,
            "Record that the sheet was printed", Printed),
        happens!(accord, "/api/v1/accords/{accord}/signatures", Sign, Accord,
            "Record a signature", Signed(SignatureInput)),
        happens!(accord, "/api/v1/accords/{accord}/sheets", Sign, Accord,
            "Record the signed sheet that confirms an oral accord", SheetSigned(SheetInput)),
        happens!(accord, "/api/v1/accords/{accord}/opinions", Sign, Accord,
            "Record the young person's opinion", Opinion(OpinionInput)),
        happens!(accord, "/api/v1/accords/{accord}/refusals", Refuse, Accord,
            "Record a refusal", Refused(NoInput)),
        happens!(accord, "/api/v1/accords/{accord}/withdrawals", Withdraw, Accord,
            "Record a withdrawal of this accord", Withdrawn(NoInput)),
        happens!(accord, "/api/v1/accords/{accord}/oppositions", Oppose, Accord,
            "Record the opposition of a holder who did not sign", Opposed(NoInput)),
        happens!(accord, "/api/v1/accords/{accord}/talks", Update, Accord,
            "Record the talk with a child who refused", Talk(TalkInput)),
    ]
}

/// As on an accord, but for the sheet of an oral one: words are released on paper only.
#[rustfmt::skip]
fn on_release() -> Vec<Route> {
    vec![
        happens!(of_release, "/api/v1/releases/{release}/printing", Print, Release,
            "Record that the sheet of a release was printed", Printed),
        happens!(of_release, "/api/v1/releases/{release}/signatures", Sign, Release,
            "Record a signature on a release", Signed(SignatureInput)),
        happens!(of_release, "/api/v1/releases/{release}/opinions", Sign, Release,
            "Record the young person's opinion of a release", Opinion(OpinionInput)),
        happens!(of_release, "/api/v1/releases/{release}/refusals", Refuse, Release,
            "Record a refusal of a release", Refused(NoInput)),
        happens!(of_release, "/api/v1/releases/{release}/withdrawals", Withdraw, Release,
            "Record a withdrawal of a release", Withdrawn(NoInput)),
        happens!(of_release, "/api/v1/releases/{release}/oppositions", Oppose, Release,
            "Record the opposition of a holder who did not sign a release", Opposed(NoInput)),
        happens!(of_release, "/api/v1/releases/{release}/talks", Update, Release,
            "Record the talk with a child who refused a release", Talk(TalkInput)),
    ]
}

fn pathway(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

fn accord(incoming: &Incoming) -> Result<SheetId, Fault> {
    incoming.id("accord", AccordId::parse).map(SheetId::Accord)
}

fn of_release(incoming: &Incoming) -> Result<SheetId, Fault> {
    incoming.id("release", ReleaseId::parse).map(SheetId::Release)
}

fn happen(app: &App, incoming: &Incoming, sheet: SheetId, happening: &Happening) -> Result<Answer, Fault> {
    Ok(Answer::created(app.sheet_record(incoming.call()?, incoming.act, &sheet, happening)?))
}

fn create(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: AccordInput = incoming.json()?;
    Ok(Answer::created(app.accord_create(incoming.call()?, incoming.act, &pathway(incoming)?, &input)?))
}

/// One child of a sheet: its accord, or why there is none.
#[derive(Serialize, ToSchema)]
struct SiblingLine {
    #[schema(value_type = String)]
    pathway: PathwayId,
    #[schema(value_type = Option<String>)]
    accord: Option<String>,
    problem: Option<Problem>,
}

/// Every child of a sheet, in the order asked.
#[derive(Serialize, ToSchema)]
struct Siblings {
    items: Vec<SiblingLine>,
}

fn siblings(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: SiblingsInput = incoming.json()?;
    let asked = input.checked().map_err(Fault::Syntax)?;
    let items = app
        .accord_create_siblings(incoming.call()?, incoming.act, &asked)?
        .into_iter()
        .map(|(pathway, made)| match made {
            Ok(created) => SiblingLine { pathway, accord: Some(created.id), problem: None },
            Err(e) => {
                let problem = Some(Problem::of(&e, incoming.request.as_str()));
                SiblingLine { pathway, accord: None, problem }
            }
        })
        .collect();
    Answer::made(&Siblings { items })
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.accord_list(incoming.call()?, incoming.act, &pathway(incoming)?)?)
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("accord", AccordId::parse)?;
    Answer::disclosed(&app.accord_read(incoming.call()?, incoming.act, &id)?)
}

fn notice(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("accord", AccordId::parse)?;
    Answer::disclosed(&app.accord_notice(incoming.call()?, incoming.act, &id)?)
}

fn withdraw(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: WithdrawalInput = incoming.json()?;
    Answer::disclosed(&app.withdrawal_record(incoming.call()?, incoming.act, &pathway(incoming)?, &input)?)
}

fn impossibility(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: ImpossibilityInput = incoming.json()?;
    let made = app.impossibility_request(incoming.call()?, incoming.act, &pathway(incoming)?, &input)?;
    Ok(Answer::created(made))
}

fn impossibility_decision(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("impossibility", ImpossibilityId::parse)?;
    let input: ImpossibilityDecision = incoming.json()?;
    Ok(Answer::created(app.impossibility_decide(incoming.call()?, incoming.act, &id, &input)?))
}

fn release(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: ReleaseInput = incoming.json()?;
    Ok(Answer::created(app.release_create(incoming.call()?, incoming.act, &pathway(incoming)?, &input)?))
}

fn release_list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.release_list(incoming.call()?, incoming.act, &pathway(incoming)?)?)
}

fn release_notice(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("release", ReleaseId::parse)?;
    Answer::disclosed(&app.release_notice(incoming.call()?, incoming.act, &id)?)
}
