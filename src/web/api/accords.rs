//! Accords, releases, withdrawals and impossibilities: the rows of the route table, and nothing else.

use crate::domain::record::{Action, ResourceKind};
use crate::ids::{AccordId, ImpossibilityId, PathwayId, ReleaseId};
use crate::service::{
    AccordInput, AccordList, AccordView, App, Happening, ImpossibilityDecision, ImpossibilityInput, NoInput,
    NoticeView, OpinionInput, ReleaseInput, SheetId, SheetInput, SignatureInput, TalkInput, WithdrawalInput,
    WithdrawalView,
};
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
            "/api/v1/releases/{release}/notice",
            Action::Read,
            Release,
            "The exact notice of a release, and who must sign",
            described::<NoticeView>("NoticeView"),
            release_notice,
        ),
    ];
    if let Some(row) = rows.iter_mut().find(|r| r.path.ends_with("/withdrawals")) {
        row.answer = Some(described::<WithdrawalView>("WithdrawalView"));
    }
    rows.extend(on_accord());
    rows.extend(on_release());
    rows
}

fn on_accord() -> Vec<Route> {
    use ResourceKind::Accord;
    vec![
        post(
            "/api/v1/accords/{accord}/printing",
            Action::Print,
            Accord,
            "Record that the sheet was printed",
            None,
            |app, incoming| happen(app, incoming, accord(incoming)?, &Happening::Printed),
        ),
        post(
            "/api/v1/accords/{accord}/signatures",
            Action::Sign,
            Accord,
            "Record a signature",
            Some(described::<SignatureInput>("SignatureInput")),
            |app, incoming| happen(app, incoming, accord(incoming)?, &Happening::Signed(incoming.json()?)),
        ),
        post(
            "/api/v1/accords/{accord}/sheets",
            Action::Sign,
            Accord,
            "Record the signed sheet that confirms an oral accord",
            Some(described::<SheetInput>("SheetInput")),
            |app, incoming| {
                happen(app, incoming, accord(incoming)?, &Happening::SheetSigned(incoming.json()?))
            },
        ),
        post(
            "/api/v1/accords/{accord}/opinions",
            Action::Sign,
            Accord,
            "Record the young person's opinion",
            Some(described::<OpinionInput>("OpinionInput")),
            |app, incoming| happen(app, incoming, accord(incoming)?, &Happening::Opinion(incoming.json()?)),
        ),
        post(
            "/api/v1/accords/{accord}/refusals",
            Action::Refuse,
            Accord,
            "Record a refusal",
            Some(described::<NoInput>("NoInput")),
            |app, incoming| happen(app, incoming, accord(incoming)?, &Happening::Refused(incoming.json()?)),
        ),
        post(
            "/api/v1/accords/{accord}/withdrawals",
            Action::Withdraw,
            Accord,
            "Record a withdrawal of this accord",
            Some(described::<NoInput>("NoInput")),
            |app, incoming| happen(app, incoming, accord(incoming)?, &Happening::Withdrawn(incoming.json()?)),
        ),
        post(
            "/api/v1/accords/{accord}/oppositions",
            Action::Oppose,
            Accord,
            "Record the opposition of a holder who did not sign",
            Some(described::<NoInput>("NoInput")),
            |app, incoming| happen(app, incoming, accord(incoming)?, &Happening::Opposed(incoming.json()?)),
        ),
        post(
            "/api/v1/accords/{accord}/talks",
            Action::Update,
            Accord,
            "Record the talk with a child who refused",
            Some(described::<TalkInput>("TalkInput")),
            |app, incoming| happen(app, incoming, accord(incoming)?, &Happening::Talk(incoming.json()?)),
        ),
    ]
}

fn on_release() -> Vec<Route> {
    use ResourceKind::Release;
    vec![
        post(
            "/api/v1/releases/{release}/signatures",
            Action::Sign,
            Release,
            "Record a signature on a release",
            Some(described::<SignatureInput>("SignatureInput")),
            |app, incoming| {
                happen(app, incoming, of_release(incoming)?, &Happening::Signed(incoming.json()?))
            },
        ),
        post(
            "/api/v1/releases/{release}/refusals",
            Action::Refuse,
            Release,
            "Record a refusal of a release",
            Some(described::<NoInput>("NoInput")),
            |app, incoming| {
                happen(app, incoming, of_release(incoming)?, &Happening::Refused(incoming.json()?))
            },
        ),
        post(
            "/api/v1/releases/{release}/withdrawals",
            Action::Withdraw,
            Release,
            "Record a withdrawal of a release",
            Some(described::<NoInput>("NoInput")),
            |app, incoming| {
                happen(app, incoming, of_release(incoming)?, &Happening::Withdrawn(incoming.json()?))
            },
        ),
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

fn release_notice(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("release", ReleaseId::parse)?;
    Answer::disclosed(&app.release_notice(incoming.call()?, incoming.act, &id)?)
}
