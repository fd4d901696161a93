//! Counts that name nobody.
//!
//! INVARIANT: a group of fewer than [`LEAST_PERSONS`] persons or [`LEAST_COUNT`] acts is never told alone; and what is
//! told together is itself not smaller than that, unless nothing else is left, so that no subtraction gives it back.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::audit::Pseudonym;
use crate::domain::cell::Reason;
use crate::domain::explain::{Context, sentence};
use crate::domain::vocabulary::{Profession, Purpose};

/// Of how many persons a group must be to be told alone.
pub const LEAST_PERSONS: usize = 3;
/// Of how many acts a group must be to be told alone.
pub const LEAST_COUNT: u64 = 5;

/// A count under a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Figure {
    /// Absent where groups too small to be told alone are told together.
    pub code: Option<String>,
    /// In French.
    pub label: String,
    pub count: u64,
}

/// Acts and those who did them.
#[derive(Clone, Debug, Default)]
struct Group {
    count: u64,
    persons: BTreeSet<Pseudonym>,
}

impl Group {
    fn join(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.persons.extend(other.persons);
    }

    /// Of how many persons it is, at least: one person has another pseudonym in another year or class.
    fn persons(&self) -> usize {
        let mut periods: BTreeMap<&str, usize> = BTreeMap::new();
        for person in &self.persons {
            let period = person.as_str().split(':').next().unwrap_or_default();
            let seen = periods.entry(period).or_default();
            *seen = seen.saturating_add(1);
        }
        periods.into_values().max().unwrap_or(0)
    }

    fn large_enough(&self) -> bool {
        self.count >= LEAST_COUNT && self.persons() >= LEAST_PERSONS
    }
}

/// Counts by a code.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<String, Group>);

impl Groups {
    pub(super) fn add(&mut self, code: &str, who: Option<&Pseudonym>) {
        let group = self.0.entry(code.to_owned()).or_default();
        group.count = group.count.saturating_add(1);
        group.persons.extend(who.cloned());
    }

    /// What may be told, the largest first.
    pub(super) fn told(&self, label: &dyn Fn(&str) -> String) -> Vec<Figure> {
        let mut alone: Vec<(&String, &Group)> = Vec::new();
        let mut together: Option<Group> = None;
        for (code, group) in &self.0 {
            if group.large_enough() {
                alone.push((code, group));
            } else {
                together.get_or_insert_default().join(group.clone());
            }
        }
        alone.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
        while together.as_ref().is_some_and(|rest| !rest.large_enough())
            && let Some((_, smallest)) = alone.pop()
        {
            together.get_or_insert_default().join(smallest.clone());
        }
        let mut told: Vec<Figure> = alone
            .into_iter()
            .map(|(code, group)| Figure { code: Some(code.clone()), label: label(code), count: group.count })
            .collect();
        told.extend(together.map(|rest| {
            Figure {
                code: None,
                label: if told.is_empty() {
                    "Ensemble, sans distinction"
                } else {
                    "Tous les autres ensemble"
                }
                .to_owned(),
                count: rest.count,
            }
        }));
        told
    }
}

pub(super) fn profession(code: &str) -> String {
    Profession::parse(code).map_or_else(|_| code.to_owned(), |p| p.french().to_owned())
}

pub(super) fn purpose(code: &str) -> String {
    Purpose::parse(code).map_or_else(|_| "Sans but particulier".to_owned(), |p| p.french().to_owned())
}

pub(super) fn reason(code: &str) -> String {
    Reason::parse(code).map_or_else(|| code.to_owned(), |r| sentence(r, &Context::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: u32) -> Pseudonym {
        Pseudonym::parse(&format!("2027d:{n:032x}")).unwrap()
    }

    fn groups(sizes: &[(&str, u32, u32)]) -> Groups {
        let mut groups = Groups::default();
        for (code, acts, persons) in sizes {
            for act in 0..*acts {
                groups.add(code, Some(&person(act % persons)));
            }
        }
        groups
    }

    fn told(sizes: &[(&str, u32, u32)]) -> Vec<(Option<String>, u64)> {
        groups(sizes).told(&|code| code.to_owned()).into_iter().map(|f| (f.code, f.count)).collect()
    }

    fn code(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn law_l1121_1_no_figure_stands_for_one_person() {
        // Large enough: told alone.
        assert_eq!(told(&[("a", 9, 3), ("b", 5, 4)]), [(code("a"), 9), (code("b"), 5)]);
        // Many acts of two persons, and few acts of many: together, and the two make enough.
        assert_eq!(told(&[("a", 9, 3), ("b", 40, 2), ("c", 4, 4)]), [(code("a"), 9), (None, 44)]);
        // One small group alone would be given back by subtraction: the smallest goes with it.
        assert_eq!(told(&[("a", 9, 3), ("b", 6, 3), ("c", 2, 1)]), [(code("a"), 9), (None, 8)],);
        // Nothing but small groups: the sum, which is known anyway, and no word beside it.
        assert_eq!(told(&[("a", 2, 1), ("b", 1, 1)]), [(None, 3)]);
        assert_eq!(told(&[]), []);
    }

    #[test]
    fn threat_one_person_at_the_turn_of_the_year_is_not_two() {
        let mut groups = Groups::default();
        for year in [2026, 2027, 2028] {
            for _ in 0..4 {
                groups.add("a", Pseudonym::parse(&format!("{year}d:{:032x}", 7)).as_ref());
            }
        }
        assert!(groups.told(&|c| c.to_owned()).iter().all(|f| f.code.is_none()));
    }
}
