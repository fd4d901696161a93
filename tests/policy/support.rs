//! One published charter for the whole process, and the grids.

use std::path::PathBuf;
use std::sync::OnceLock;

use relais::charter::policy::Rule;
use relais::charter::{Charter, Matrix};
use relais::domain::cell::{AccordFact, StatuteFact, TableFacts};
use relais::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

/// The demonstration charter and its published matrix (casbin has agreed on every cell).
pub fn demo() -> &'static (Charter, Matrix) {
    static DEMO: OnceLock<(Charter, Matrix)> = OnceLock::new();
    DEMO.get_or_init(|| {
        let charter = Charter::embedded_demo().unwrap();
        let matrix = charter.publish().unwrap();
        (charter, matrix)
    })
}

/// The demonstration charter with another set of rules.
pub fn demo_with(policy: &str) -> Charter {
    Charter::from_files(demo().0.charter_toml(), policy).unwrap()
}

/// The rules of the charter as casbin gets them, ceiling first.
pub fn rules() -> Vec<Rule> {
    demo().0.all_rules()
}

pub fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Every tuple of the eight facts.
pub fn every_fact(mut each: impl FnMut(TableFacts)) {
    for &recipient_profession in Profession::ALL {
        for &recipient_secrecy in Secrecy::ALL {
            for &author_secrecy in Secrecy::ALL {
                for &category in Category::ALL {
                    for &purpose in Purpose::ALL {
                        for &accord in AccordFact::ALL {
                            for family_released in [false, true] {
                                for &statute in StatuteFact::ALL {
                                    each(TableFacts {
                                        recipient_profession,
                                        recipient_secrecy,
                                        author_secrecy,
                                        category,
                                        purpose,
                                        accord,
                                        family_released,
                                        statute,
                                    });
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
