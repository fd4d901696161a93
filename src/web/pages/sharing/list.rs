//! The shares of a pathway that concern the reader, by where it stands: its own, those with it, and for the référent
//! the outline of the others.

use askama::Template;

use super::member_only;
use crate::service::App;
use crate::service::share_views::{ShareLine, Standpoint};
use crate::web::pages::Page;
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming};

/// The list.
#[derive(Template)]
#[template(path = "shares.html")]
struct SharesPage {
    shell: Shell,
    frame: Frame,
    shares: Vec<ShareLine>,
}

impl SharesPage {
    fn seen_as(&self, standpoint: Standpoint) -> Vec<&ShareLine> {
        let mut found: Vec<&ShareLine> = self.shares.iter().filter(|s| s.seen_as == standpoint).collect();
        // Latest first, and what is over after what is not.
        found.reverse();
        found.sort_by_key(|s| !s.in_force);
        found
    }

    fn referent(&self) -> bool {
        self.frame.view.me.role == crate::domain::vocabulary::Role::Referent
    }
}

pub fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let shares = app.shares_list(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    let (shell, frame) = Frame::read(app, incoming, Part::Shares, "Partages")?;
    member_only(&frame)?;
    Answer::page(&SharesPage { shell, frame, shares })
}

impl Page for SharesPage {
    #[cfg(test)]
    const NAME: &'static str = "shares";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::day::Day;
        use crate::domain::vocabulary::{Category, Purpose, Role};
        use crate::ids::ShareId;
        use crate::service::share_views::Halt;
        use crate::web::pages::frame::sample::frame_as;
        let page = |role, shares| {
            let (shell, frame) = frame_as(role, Part::Shares, "Partages");
            Self { shell, frame, shares }
        };
        let line = |seen_as, sharer: Option<&str>, in_force| ShareLine {
            id: ShareId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
            seen_as,
            purpose: Purpose::Schooling,
            sharer: sharer.map(ToOwned::to_owned),
            recipients: match seen_as {
                Standpoint::Recipient => Vec::new(),
                Standpoint::Sharer | Standpoint::Referent => vec!["Julie Lambert (Enseignant)".to_owned()],
            },
            categories: vec![Category::Schooling],
            last_day: Day::parse("2027-06-14").ok(),
            in_force,
            read_by: Vec::new(),
            halted: None,
        };
        let stopped = ShareLine { halted: Some(Halt::NoAccord), ..line(Standpoint::Sharer, None, true) };
        let all = vec![
            line(Standpoint::Sharer, None, false),
            line(Standpoint::Sharer, None, true),
            stopped,
            line(Standpoint::Recipient, None, true),
            line(Standpoint::Recipient, Some("Samira Haddad (Éducatrice)"), true),
            line(Standpoint::Referent, Some("Samira Haddad (Éducatrice)"), true),
        ];
        let nickname = {
            let (shell, frame) = crate::web::pages::frame::sample::nicknamed(Part::Shares, "Partages");
            Self { shell, frame, shares: Vec::new() }
        };
        vec![
            ("empty", page(Role::Participant, Vec::new())),
            ("paused", {
                use crate::web::pages::frame::sample::paused;
                let (shell, frame) = paused(Role::Participant, Part::Shares, "Partages");
                Self { shell, frame, shares: Vec::new() }
            }),
            ("nickname", nickname),
            ("referent", page(Role::Referent, all)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_shares() {
        crate::web::pages::snapshots::check::<super::SharesPage>();
    }
}
