//! One share, for its sharer: who has read, whom to call, how to end it, and what may join it.

use askama::Template;

use super::decision::{About, Line, Verdict};
use super::{labels, own_items};
use crate::ids::{ItemId, ParticipationId, ShareId};
use crate::service::App;
use crate::service::preview::{ItemRef, PreviewRequest, PreviewView};
use crate::service::reading::ItemView;
use crate::service::share_views::{ShareView, SharedVersion, SharedWith};
use crate::service::shares::{EndShare, JoinShare};
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::pages::words;
use crate::web::route::{Answer, Fault, Incoming};

/// One thing of a share, by the name that its author gave.
struct Thing {
    label: String,
    shared: SharedVersion,
}

/// A writing that is not in the share and may join it.
struct Later {
    id: String,
    label: String,
    /// A correction of something shared, or something new on the shared subject.
    correction: bool,
}

/// A share.
#[derive(Template)]
#[template(path = "share.html")]
struct SharePage {
    shell: Shell,
    frame: Frame,
    share: ShareView,
    things: Vec<Thing>,
    later: Vec<Later>,
    /// The same question anew.
    renew: String,
}

/// Before a share ends, for all or for one.
#[derive(Template)]
#[template(path = "share_end.html")]
struct ShareEndPage {
    shell: Shell,
    frame: Frame,
    share: ShareView,
    /// The one for whom it ends; everybody otherwise.
    one: Option<SharedWith>,
    entered: Entered,
}

/// Before a text joins a share.
#[derive(Template)]
#[template(path = "share_join.html")]
struct ShareJoinPage {
    shell: Shell,
    frame: Frame,
    share: ShareView,
    item: ItemView,
    lines: Vec<Line>,
    entered: Entered,
}

impl SharePage {
    /// Those who can read and have not.
    fn to_be_told(&self) -> Vec<&SharedWith> {
        let waits = |r: &&SharedWith| r.reads_now && r.first_read_at.is_none() && r.ended_at.is_none();
        self.share.readers.iter().filter(waits).collect()
    }
}

impl ShareJoinPage {
    /// Whether everybody in the share would read it: then, and only then, it may join.
    fn all_read(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|l| l.verdict == Verdict::All)
    }
}

fn share_of(incoming: &Incoming) -> Result<ShareId, Fault> {
    incoming.id("share", ShareId::parse)
}

fn read(app: &App, incoming: &Incoming) -> Result<ShareView, Fault> {
    Ok(app.share_read(incoming.call()?, &pathway_of(incoming)?, &share_of(incoming)?)?.into_inner())
}

fn things_of(share: &ShareView, items: &[ItemView]) -> Vec<Thing> {
    share
        .things
        .iter()
        .map(|shared| Thing {
            label: items
                .iter()
                .find(|i| i.id == shared.item.as_str())
                .map_or_else(|| shared.category.french().to_owned(), |i| i.label.clone()),
            shared: shared.clone(),
        })
        .collect()
}

/// What may join: corrections of what is shared, and new texts of the shared subject; one's own only.
fn later_of(share: &ShareView, items: &[ItemView]) -> Vec<Later> {
    if !share.in_force || share.handover.is_some() {
        return Vec::new();
    }
    items
        .iter()
        .filter(|i| i.own && !share.things.iter().any(|t| t.version.as_str() == i.version_id))
        .filter_map(|i| {
            let correction = share.things.iter().any(|t| t.item.as_str() == i.id);
            let joins = correction || share.category == Some(i.category);
            joins.then(|| Later { id: i.id.clone(), label: i.label.clone(), correction })
        })
        .collect()
}

fn renewal(frame: &Frame, share: &ShareView) -> String {
    let mut items: Vec<&str> = share.things.iter().map(|t| t.item.as_str()).collect();
    items.dedup();
    let what = match share.category {
        Some(category) => format!("category={}", category.code()),
        None => format!("item={}", items.join(".")),
    };
    frame.at(&format!("/partager?{what}&purpose={}", share.purpose.code()))
}

pub fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let share = read(app, incoming)?;
    let items = own_items(app, incoming, &pathway_of(incoming)?)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Shares, "Un partage")?;
    let things = things_of(&share, &items);
    let later = later_of(&share, &items);
    let renew = renewal(&frame, &share);
    Answer::page(&SharePage { shell, frame, share, things, later, renew })
}

fn show_end(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let share = read(app, incoming)?;
    let named = match incoming.query("recipient", ParticipationId::parse)? {
        Some(id) => Some(id),
        None => incoming.form.one("recipient").and_then(|id| ParticipationId::parse(id).ok()),
    };
    let one = named.and_then(|id| share.readers.iter().find(|r| r.member.participation == id).cloned());
    let (shell, frame) = Frame::read(app, incoming, Part::Shares, "Mettre fin à un partage")?;
    Answer::page_with(status, &ShareEndPage { shell, frame, share, one, entered })
}

pub fn end_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_end(app, incoming, 200, Entered::first(app, incoming)?)
}

pub fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (pathway, share) = (pathway_of(incoming)?, share_of(incoming)?);
    let attempt = || -> Result<(), Fault> {
        let end: EndShare = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.share_end(incoming.call()?, &pathway, &share, &end)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{pathway}/partages/{share}?fait=fin"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show_end(app, incoming, status, entered)),
    }
}

/// Those who are in the share today, among those whom the asker sees.
fn readers_of(share: &ShareView, preview: PreviewView) -> PreviewView {
    let there = |id: &ParticipationId| {
        share.readers.iter().any(|r| {
            let origin_ended = share
                .readers
                .iter()
                .any(|o| Some(&o.member.participation) == r.in_place_of.as_ref() && o.ended_at.is_some());
            r.member.participation == *id && r.ended_at.is_none() && !origin_ended
        })
    };
    let readers = preview.readers.into_iter().filter(|r| there(&r.member.participation)).collect();
    PreviewView { readers, ..preview }
}

fn show_join(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let (call, pathway) = (incoming.call()?, pathway_of(incoming)?);
    let share = read(app, incoming)?;
    let wanted = match incoming.query("item", ItemId::parse)? {
        Some(id) => id,
        None => incoming
            .form
            .one("item.item")
            .and_then(|id| ItemId::parse(id).ok())
            .ok_or_else(|| crate::web::pages::entered::missing("item"))?,
    };
    let items = own_items(app, incoming, &pathway)?;
    let request = PreviewRequest {
        purpose: share.purpose,
        items: vec![ItemRef { item: wanted.clone(), version: None }],
        category: None,
        recipients: None,
        hypothetical: None,
        last_day: share.last_day,
        statute: None,
    };
    let preview = readers_of(&share, app.preview(call, &pathway, &request)?.into_inner());
    let (shell, frame) = Frame::read(app, incoming, Part::Shares, "Ajouter à un partage")?;
    let labels = labels(&items);
    let about = About { frame: &frame, purpose: share.purpose, labels: &labels, rest: "" };
    let lines = about.lines(&preview);
    let item = items
        .into_iter()
        .find(|i| i.id == wanted.as_str())
        .ok_or(Fault::Service(crate::service::ServiceError::AbsentOrRefused))?;
    Answer::page_with(status, &ShareJoinPage { shell, frame, share, item, lines, entered })
}

pub fn join_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_join(app, incoming, 200, Entered::first(app, incoming)?)
}

pub fn join(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (pathway, share) = (pathway_of(incoming)?, share_of(incoming)?);
    let attempt = || -> Result<(), Fault> {
        let join: JoinShare = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.share_join(incoming.call()?, &pathway, &share, &join)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{pathway}/partages/{share}?fait=partage"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show_join(app, incoming, status, entered)),
    }
}

#[cfg(test)]
fn sample_share() -> ShareView {
    use super::sample::{item_id, member, version_id};
    use crate::domain::day::Day;
    use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};
    let reader = |c, name: &str, profession, secrecy| SharedWith {
        member: member(c, name, profession, secrecy),
        in_place_of: None,
        reads_now: true,
        sentence: None,
        first_read_at: None,
        read: "pas encore lu".to_owned(),
        versions_read: Vec::new(),
        printed_at: None,
        ended_at: None,
    };
    let read = SharedWith {
        first_read_at: Some("2027-03-05T10:00:00Z".to_owned()),
        read: "lu le 5 mars 2027".to_owned(),
        printed_at: Some("2027-03-06T10:00:00Z".to_owned()),
        ..reader('c', "Claire Morel", Profession::Aemo, Secrecy::Bound)
    };
    let gone = SharedWith {
        reads_now: false,
        sentence: Some("L'accord a pris fin.".to_owned()),
        ended_at: Some("2027-03-08T10:00:00Z".to_owned()),
        ..reader('d', "Sophie Martin", Profession::SchoolHealth, Secrecy::Bound)
    };
    ShareView {
        id: ShareId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
        purpose: Purpose::Schooling,
        starts: "2027-03-02T09:00:00Z".to_owned(),
        last_day: Day::parse("2027-06-14").ok(),
        departure: None,
        ended_at: None,
        in_force: true,
        halted: None,
        category: Some(Category::Schooling),
        things: vec![SharedVersion {
            item: item_id('a'),
            version: version_id('c'),
            category: Category::Schooling,
            superseded: true,
        }],
        readers: vec![reader('b', "Julie Lambert", Profession::Teacher, Secrecy::NotBound), read, gone],
        handover: None,
    }
}

impl Page for SharePage {
    #[cfg(test)]
    const NAME: &'static str = "share";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::service::share_views::Halt;
        let page = |share: ShareView| {
            let (shell, frame) = crate::web::pages::frame::sample::frame(Part::Shares, "Un partage");
            let items = super::sample::items();
            let (things, later) = (things_of(&share, &items), later_of(&share, &items));
            let renew = renewal(&frame, &share);
            Self { shell, frame, share, things, later, renew }
        };
        let over = ShareView {
            in_force: false,
            ended_at: Some("2027-03-09T08:00:00Z".to_owned()),
            ..sample_share()
        };
        let nothing = ShareView { things: Vec::new(), ..sample_share() };
        let mut stopped = ShareView { halted: Some(Halt::NoAccord), ..sample_share() };
        for reader in &mut stopped.readers {
            reader.reads_now = false;
            reader.sentence = Some("Il n'y a pas d'accord en cours pour ce partage.".to_owned());
        }
        vec![
            ("read_by_one", page(sample_share())),
            ("over", page(over)),
            ("nothing_yet", page(nothing)),
            ("stopped", page(stopped)),
        ]
    }
}

impl Page for ShareEndPage {
    #[cfg(test)]
    const NAME: &'static str = "share_end";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |one| {
            let (shell, frame) = crate::web::pages::frame::sample::frame(Part::Shares, "Mettre fin");
            Self { shell, frame, share: sample_share(), one, entered: Entered::nothing() }
        };
        let one = sample_share().readers.into_iter().nth(1);
        vec![("all", page(None)), ("one", page(one))]
    }
}

impl Page for ShareJoinPage {
    #[cfg(test)]
    const NAME: &'static str = "share_join";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |most: usize| {
            let (shell, frame) = crate::web::pages::frame::sample::frame(Part::Shares, "Ajouter");
            let about = About {
                frame: &frame,
                purpose: crate::domain::vocabulary::Purpose::Schooling,
                labels: &[],
                rest: "",
            };
            let lines = about.lines(&super::sample::preview()).into_iter().take(most).collect();
            let item = super::sample::items().remove(0);
            Self { shell, frame, share: sample_share(), item, lines, entered: Entered::nothing() }
        };
        vec![("all_read", page(1)), ("not_all", page(3))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_share() {
        crate::web::pages::snapshots::check::<SharePage>();
        crate::web::pages::snapshots::check::<ShareEndPage>();
        crate::web::pages::snapshots::check::<ShareJoinPage>();
    }

    #[test]
    fn law_r22_what_joins_is_offered_and_never_joined_by_itself() {
        let later = later_of(&sample_share(), &super::super::sample::items());
        assert_eq!(later.len(), 1, "another subject does not join");
        assert!(later[0].correction);
        let over = ShareView { in_force: false, ..sample_share() };
        assert!(later_of(&over, &super::super::sample::items()).is_empty());
    }

    #[test]
    fn a_recipient_whose_part_ended_is_not_in_the_list_to_confirm() {
        let preview = super::super::sample::preview();
        let seen = readers_of(&sample_share(), preview);
        let names: Vec<_> = seen.readers.iter().map(|r| r.member.name.as_str()).collect();
        // Paul Girard holds the id of the one whose part ended.
        assert_eq!(names, ["Claire Morel", "Julie Lambert"]);
    }
}
