//! Who signs, by name where the reader may know it, by capacity elsewhere.

use crate::domain::vocabulary::Capacity;
use crate::ids::PathwayId;
use crate::service::people::{HolderView, HoldersView};
use crate::service::{App, AwaitedView, SlotKind, SlotView, of_name};
use crate::web::pages::frame::{Frame, pathway_of};
use crate::web::route::{Fault, Incoming};

/// One answer of a list: a code and its words, as the parts of forms read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web::pages) struct Choice {
    code: String,
    french: String,
}

impl Choice {
    pub fn new(code: impl Into<String>, french: impl Into<String>) -> Self {
        Self { code: code.into(), french: french.into() }
    }

    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    #[must_use]
    pub fn french(&self) -> &str {
        &self.french
    }
}

/// The young person, as a list of signatories names them.
const YOUNG: &str = "le jeune";

/// The holders of authority whom the reader may know.
pub(in crate::web::pages) struct Family {
    holders: Vec<HolderView>,
    /// The young person's name, on the family's own papers.
    young: Option<String>,
}

impl Family {
    /// Asked only where the reader may know: a question that would be refused is a record for nothing.
    pub fn read(app: &App, incoming: &Incoming, may_know: bool) -> Result<Self, Fault> {
        Self::of_pathway(app, incoming, &pathway_of(incoming)?, may_know)
    }

    /// [`Family::read`] of a pathway that the address does not name.
    pub fn of_pathway(
        app: &App,
        incoming: &Incoming,
        pathway: &PathwayId,
        may_know: bool,
    ) -> Result<Self, Fault> {
        let holders = if may_know {
            app.holders(incoming.call()?, pathway)?.into_inner()
        } else {
            HoldersView { items: Vec::new() }
        };
        Ok(Self { holders: holders.items, young: None })
    }

    /// The same family under a head that says whose pathway this is: the young person has a name there.
    #[must_use]
    pub fn under(mut self, frame: &Frame) -> Self {
        self.young = frame.view.name_shared.then(|| frame.view.name.clone());
        self
    }

    pub fn holders(&self) -> &[HolderView] {
        &self.holders
    }

    fn holder(&self, id: &str) -> Option<&HolderView> {
        self.holders.iter().find(|h| h.id == id)
    }

    /// « Sonia Martin (mère) », « le jeune », or what one is when the name is not for this reader.
    pub fn name(&self, by: &str) -> String {
        if by == "young_person" {
            return YOUNG.to_owned();
        }
        self.holder(by).map_or_else(|| "un parent".to_owned(), holder_name)
    }

    fn young(&self) -> &str {
        self.young.as_deref().unwrap_or(YOUNG)
    }

    /// Somebody who signs, as a sheet names the place to sign; an opinion is not a signature.
    fn place(&self, slot: &SlotView) -> Option<String> {
        match slot.kind {
            SlotKind::Opinion => None,
            SlotKind::YoungPerson => Some(self.young().to_owned()),
            SlotKind::Holder => {
                let known = slot.holder.as_ref().and_then(|id| self.holder(id.as_str()));
                Some(known.map_or_else(|| capacity_of(slot), holder_name))
            }
        }
    }

    /// Everybody whose signature may be needed, each once, in the order in which they are asked.
    pub fn signers(&self, all_of: &[SlotView], any_of: &[Vec<SlotView>]) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for place in all_of.iter().chain(any_of.iter().flatten()).filter_map(|slot| self.place(slot)) {
            if !out.contains(&place) {
                out.push(place);
            }
        }
        out
    }

    /// In a sentence that says already who is a parent.
    fn in_a_sentence(&self, slot: &SlotView) -> String {
        let known = slot.holder.as_ref().and_then(|id| self.holder(id.as_str()));
        match known {
            Some(HolderView { capacity: Capacity::Parent, name: Some(name), .. }) => name.as_str().to_owned(),
            Some(holder) => holder_name(holder),
            None if slot.holder.is_some() => capacity_of(slot),
            None => self.young().to_owned(),
        }
    }

    /// « un de ses parents : Karima ou Olivier », « ses deux parents : Karima et Olivier ».
    fn adults(&self, any_of: &[Vec<SlotView>]) -> String {
        let parents = any_of.iter().flatten().all(|s| s.capacity == Some(Capacity::Parent));
        let mut named: Vec<String> = any_of
            .iter()
            .map(|group| group.iter().map(|s| self.in_a_sentence(s)).collect::<Vec<_>>().join(" et "))
            .collect();
        named.dedup();
        let named = named.join(" ou ");
        let known = |s: &SlotView| s.holder.as_ref().is_some_and(|id| self.holder(id.as_str()).is_some());
        let names = if any_of.iter().flatten().all(known) { format!(" : {named}") } else { String::new() };
        match any_of {
            [one] if parents && one.len() == 2 => format!("ses deux parents{names}"),
            [_, _, ..] if parents && any_of.iter().all(|g| g.len() == 1) => {
                format!("un de ses parents{names}")
            }
            _ => named,
        }
    }

    /// Who must sign, in a sentence: « Lina, et un de ses parents : Karima ou Olivier ».
    pub fn wanted(&self, all_of: &[SlotView], any_of: &[Vec<SlotView>]) -> String {
        let opinion = all_of.iter().any(|s| s.kind == SlotKind::Opinion);
        let mut who: Vec<String> =
            all_of.iter().filter(|s| s.kind != SlotKind::Opinion).map(|s| self.in_a_sentence(s)).collect();
        if !any_of.is_empty() {
            who.push(self.adults(any_of));
        }
        if opinion {
            let young = self.young.as_deref().map_or_else(|| "du jeune".to_owned(), of_name);
            who.push(format!("l'avis {young}"));
        }
        who.join(", et ")
    }

    pub fn awaited(&self, awaited: &AwaitedView) -> String {
        match &awaited.unestablished {
            Some(why) => why.clone(),
            None => self.wanted(&awaited.all_of, &awaited.any_of),
        }
    }

    /// Who may be asked to sign or to answer.
    pub fn signatories(&self) -> Vec<Choice> {
        let holders = self.holders.iter().filter(|h| h.can_sign && !h.do_not_contact);
        std::iter::once(Choice::new("young_person", "Le jeune"))
            .chain(holders.map(|h| Choice::new(h.id.clone(), holder_name(h))))
            .collect()
    }

    /// What stays awaited once `by` (`young_person`, or a holder's id) has signed; nothing when nobody is.
    pub fn after(&self, awaited: &AwaitedView, by: &str) -> Option<String> {
        if awaited.unestablished.is_some() {
            return Some(self.awaited(awaited));
        }
        let signs = |slot: &SlotView| match slot.kind {
            SlotKind::Holder => slot.holder.as_ref().is_some_and(|id| id.as_str() == by),
            SlotKind::YoungPerson => by == "young_person",
            SlotKind::Opinion => false,
        };
        let rest = |slots: &[SlotView]| slots.iter().filter(|s| !signs(s)).cloned().collect::<Vec<_>>();
        let all_of = rest(&awaited.all_of);
        let groups: Vec<Vec<SlotView>> = awaited.any_of.iter().map(|g| rest(g)).collect();
        let any_of = if groups.iter().any(Vec::is_empty) { Vec::new() } else { groups };
        (!all_of.is_empty() || !any_of.is_empty()).then(|| self.wanted(&all_of, &any_of))
    }
}

/// What somebody is whose name is not for this reader.
fn capacity_of(slot: &SlotView) -> String {
    match slot.capacity {
        None | Some(Capacity::Parent) => "un parent".to_owned(),
        Some(other) => other.french().to_lowercase(),
    }
}

/// « Sonia Martin (mère) ».
pub(in crate::web::pages) fn holder_name(holder: &HolderView) -> String {
    let name = holder.name.as_ref().map_or("", |n| n.as_str());
    match &holder.relation {
        Some(relation) => format!("{name} ({})", relation.as_str()),
        None => format!("{name} ({})", holder.capacity.french().to_lowercase()),
    }
}

#[cfg(test)]
impl Family {
    pub fn sample() -> Self {
        use crate::domain::text::Text;
        let holder = |letter: char, name: &str, relation: &str, away: bool| HolderView {
            id: format!("{}a", letter.to_string().repeat(25)),
            capacity: crate::domain::vocabulary::Capacity::Parent,
            can_sign: true,
            from: "2011-05-02".to_owned(),
            ends: None,
            organisation: None,
            proof: None,
            do_not_contact: away,
            name: Some(Text::parse(name).unwrap()),
            number: None,
            relation: Some(Text::parse(relation).unwrap()),
        };
        Self {
            holders: vec![
                holder('d', "Sonia Martin", "mère", false),
                holder('f', "Karim Martin", "père", false),
                holder('g', "Jean Martin", "oncle, tuteur", true),
            ],
            young: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{holder, id, slot};
    use super::*;
    use crate::ids::{AccordLineId, HolderId};

    fn father() -> SlotView {
        SlotView { holder: Some(id(HolderId::parse, 'f')), ..slot(SlotKind::Holder) }
    }

    fn family() -> Family {
        Family { young: Some("Lina Martin".to_owned()), ..Family::sample() }
    }

    #[test]
    fn who_must_sign_is_one_sentence() {
        let f = family();
        let either = [vec![slot(SlotKind::Holder)], vec![father()]];
        assert_eq!(
            f.wanted(&[slot(SlotKind::YoungPerson)], &either),
            "Lina Martin, et un de ses parents : Sonia Martin ou Karim Martin"
        );
        let both = [vec![slot(SlotKind::Holder), father()]];
        assert_eq!(f.wanted(&[], &both), "ses deux parents : Sonia Martin et Karim Martin");
        assert_eq!(
            f.wanted(&[slot(SlotKind::Opinion)], &[vec![slot(SlotKind::Holder)]]),
            "Sonia Martin, et l'avis de Lina Martin"
        );
        // Whoever may not know the names reads what each is.
        let unnamed = Family { holders: vec![], young: None };
        assert_eq!(unnamed.wanted(&[slot(SlotKind::YoungPerson)], &either), "le jeune, et un de ses parents");
    }

    #[test]
    fn a_place_for_each_who_signs_and_none_for_an_opinion() {
        let f = family();
        let places = f.signers(
            &[slot(SlotKind::Opinion), slot(SlotKind::YoungPerson)],
            &[vec![slot(SlotKind::Holder)], vec![father()]],
        );
        assert_eq!(places, ["Lina Martin", "Sonia Martin (mère)", "Karim Martin (père)"]);
    }

    #[test]
    fn what_a_signature_leaves_awaited_is_told_and_nothing_when_it_completes() {
        let f = family();
        let awaited = AwaitedView {
            line: id(AccordLineId::parse, 'e'),
            all_of: vec![slot(SlotKind::YoungPerson)],
            any_of: vec![vec![slot(SlotKind::Holder)], vec![father()]],
            unestablished: None,
        };
        assert_eq!(
            f.after(&awaited, "young_person").as_deref(),
            Some("un de ses parents : Sonia Martin ou Karim Martin")
        );
        assert_eq!(f.after(&awaited, holder().as_str()).as_deref(), Some("Lina Martin"));
        let last = AwaitedView { all_of: vec![], ..awaited };
        assert_eq!(f.after(&last, holder().as_str()), None);
    }
}
