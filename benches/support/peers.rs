//! The peers on the decision table: casbin as publication asks it, and cedar-policy in its best idiom.
//!
//! Both get one rule set per recipient (profession and side of the matrix), the same ceiling, and objects that are built
//! before the clock starts. What each leaves to its caller is said where it does.

use std::collections::BTreeMap;
use std::str::FromStr;

use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
};
use relais::charter::base::Base;
use relais::charter::policy::{Claim, Rule, base_rules};
use relais::domain::cell::{AccordFact, Need, StatuteFact, TableFacts};
use relais::domain::vocabulary::{Category, Level, Profession, Purpose, Secrecy};

const MODEL: &str = include_str!("../../policies/model.conf");
const CLAIMS: &str = include_str!("../../policies/claims.csv");

/// A recipient as the matrix knows it: `contested` reads the `not_bound` row.
type Recipient = (Profession, Secrecy);

fn recipient(facts: &TableFacts) -> Recipient {
    (facts.recipient_profession, facts.recipient_secrecy.receiving())
}

fn recipients() -> impl Iterator<Item = Recipient> {
    Profession::ALL.iter().flat_map(|&p| [(p, Secrecy::Bound), (p, Secrecy::NotBound)])
}

/// casbin, one enforcer per recipient, over the rows of the ceiling.
///
/// It answers "may this recipient receive this category for this purpose on this claim". The accord that is claimed,
/// the release, and who may claim the statute are decided by the lines around it, in Rust; it gives no explanation.
pub struct Casbin {
    enforcers: BTreeMap<Recipient, Enforcer>,
    rules: usize,
}

impl Casbin {
    pub fn over_the_ceiling(base: &Base) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let rules: Vec<Vec<String>> = base_rules(base).iter().map(Rule::values).collect();
        let claims: Vec<Vec<String>> = CLAIMS
            .lines()
            .filter_map(|line| line.strip_prefix("g, "))
            .map(|pair| pair.split(", ").map(str::to_owned).collect())
            .collect();
        let mut most = 0;
        let mut enforcers = BTreeMap::new();
        for (profession, secrecy) in recipients() {
            let mine: Vec<Vec<String>> = rules
                .iter()
                .filter(|r| r[0] == "*" || (r[0] == profession.code() && r[1] == secrecy.code()))
                .cloned()
                .collect();
            most = most.max(mine.len());
            let claims = claims.clone();
            let enforcer = runtime.block_on(async {
                let model = DefaultModel::from_str(MODEL).await.unwrap();
                let mut enforcer = Enforcer::new(model, ()).await.unwrap();
                assert!(enforcer.add_policies(mine).await.unwrap());
                assert!(enforcer.add_grouping_policies(claims).await.unwrap());
                enforcer
            });
            enforcers.insert((profession, secrecy), enforcer);
        }
        Self { enforcers, rules: most }
    }

    /// How many rules the largest enforcer holds.
    pub const fn rules(&self) -> usize {
        self.rules
    }

    fn ask(&self, facts: &TableFacts, claim: Claim) -> bool {
        let (profession, side) = recipient(facts);
        self.enforcers[&(profession, side)]
            .enforce((
                profession.code(),
                side.code(),
                facts.category.code(),
                facts.purpose.code(),
                claim.code(),
            ))
            .unwrap()
    }

    /// Decides one row; asks casbin once, or twice where the accord is not enough and the statute is claimed.
    pub fn permits(&self, facts: &TableFacts) -> bool {
        // Without an accord in force it is still asked whether the strongest would do: that is gate 5.
        let claimed = facts.accord.level();
        let open = self.ask(facts, Claim::Accord(claimed.unwrap_or(Level::Informed)));
        let by_accord = open && claimed.is_some();
        let rests = by_accord || (may_claim_statute(facts) && self.ask(facts, Claim::Statute));
        rests && !release_missing(facts)
    }

    /// How many questions a row costs.
    pub fn questions(&self, facts: &TableFacts) -> u32 {
        let claimed = facts.accord.level();
        let by_accord = claimed.is_some_and(|level| self.ask(facts, Claim::Accord(level)));
        if !by_accord && may_claim_statute(facts) { 2 } else { 1 }
    }
}

fn may_claim_statute(facts: &TableFacts) -> bool {
    let closed = matches!(facts.accord, AccordFact::Refused | AccordFact::Withdrawn);
    let complete = match facts.statute {
        StatuteFact::None => false,
        StatuteFact::Complete => !closed,
        StatuteFact::CompleteValidated => true,
    };
    complete
        && facts.purpose == Purpose::Protection
        && facts.recipient_secrecy == Secrecy::Bound
        && facts.author_secrecy == Secrecy::Bound
}

fn release_missing(facts: &TableFacts) -> bool {
    facts.author_secrecy.holds_a_secret()
        && facts.recipient_secrecy.receiving() == Secrecy::NotBound
        && facts.category != Category::Identity
        && !facts.family_released
}

/// cedar-policy, one policy set per recipient. The whole row is decided inside: purpose is the action and category the
/// resource, so that every head is an equality; accord, release and statute are in the context. Explanation: the ids of
/// the policies that determined the answer (none, when nothing permits).
pub struct Cedar {
    authorizer: Authorizer,
    entities: Entities,
    sets: BTreeMap<Recipient, PolicySet>,
    principals: BTreeMap<Recipient, EntityUid>,
    actions: Vec<EntityUid>,
    resources: Vec<EntityUid>,
    policies: usize,
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_str(&format!("{kind}::\"{id}\"")).unwrap()
}

fn policies(base: &Base, (profession, secrecy): Recipient) -> String {
    let mut text = String::new();
    let who = format!("principal == Recipient::\"{profession}/{secrecy}\"");
    for &category in Category::ALL {
        let Some(row) = base.row(profession, secrecy) else { break };
        let cell = row.cell(category);
        let level = match cell.need() {
            Need::Opening => 1,
            Need::Category => 2,
            Need::Informed => 3,
            Need::Never => continue,
        };
        text.push_str(&format!(
            "permit ({who}, action, resource == Category::\"{category}\") when {{ context.level >= {level} }};\n"
        ));
        if cell.statute_open() && secrecy == Secrecy::Bound {
            text.push_str(&format!(
                "permit ({who}, action == Action::\"protection\", resource == Category::\"{category}\") when {{ \
                 context.author_bound && (context.statute == 2 || (context.statute == 1 && !context.closed)) }};\n"
            ));
        }
    }
    for &purpose in Purpose::ALL {
        for &category in Category::ALL {
            if !base.carries(purpose, category) {
                text.push_str(&format!(
                    "forbid (principal, action == Action::\"{purpose}\", resource == Category::\"{category}\");\n"
                ));
            }
        }
    }
    if secrecy == Secrecy::NotBound {
        text.push_str(&format!(
            "forbid ({who}, action, resource) when {{ context.author_holds && !context.released }} unless {{ \
             resource == Category::\"identity\" }};\n"
        ));
    }
    text
}

impl Cedar {
    pub fn over_the_ceiling(base: &Base) -> Self {
        let sets: BTreeMap<Recipient, PolicySet> =
            recipients().map(|r| (r, PolicySet::from_str(&policies(base, r)).unwrap())).collect();
        Self {
            authorizer: Authorizer::new(),
            entities: Entities::empty(),
            policies: sets.values().map(|set| set.policies().count()).max().unwrap_or(0),
            principals: recipients().map(|r| (r, uid("Recipient", &format!("{}/{}", r.0, r.1)))).collect(),
            actions: Purpose::ALL.iter().map(|p| uid("Action", p.code())).collect(),
            resources: Category::ALL.iter().map(|c| uid("Category", c.code())).collect(),
            sets,
        }
    }

    /// How many policies the largest set holds.
    pub const fn policies(&self) -> usize {
        self.policies
    }

    /// The request of one row.
    pub fn request(&self, facts: &TableFacts) -> Request {
        let level = match facts.accord.level() {
            None => 0,
            Some(Level::Opening) => 1,
            Some(Level::Category) => 2,
            Some(Level::Informed) => 3,
        };
        let statute = match facts.statute {
            StatuteFact::None => 0,
            StatuteFact::Complete => 1,
            StatuteFact::CompleteValidated => 2,
        };
        let closed = matches!(facts.accord, AccordFact::Refused | AccordFact::Withdrawn);
        let long = RestrictedExpression::new_long;
        let truth = RestrictedExpression::new_bool;
        let context = Context::from_pairs([
            ("level".to_owned(), long(level)),
            ("statute".to_owned(), long(statute)),
            ("closed".to_owned(), truth(closed)),
            ("released".to_owned(), truth(facts.family_released)),
            ("author_bound".to_owned(), truth(facts.author_secrecy == Secrecy::Bound)),
            ("author_holds".to_owned(), truth(facts.author_secrecy.holds_a_secret())),
        ])
        .unwrap();
        Request::new(
            self.principals[&recipient(facts)].clone(),
            self.actions[facts.purpose.index()].clone(),
            self.resources[facts.category.index()].clone(),
            context,
            None,
        )
        .unwrap()
    }

    /// Decides a request that was built before; counts the policies that explain the answer.
    pub fn permits(&self, facts: &TableFacts, request: &Request) -> (bool, usize) {
        let response = self.authorizer.is_authorized(request, &self.sets[&recipient(facts)], &self.entities);
        assert!(response.diagnostics().errors().next().is_none());
        (response.decision() == Decision::Allow, response.diagnostics().reason().count())
    }
}
