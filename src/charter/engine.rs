//! casbin, at publication only: it computes the answer of every cell from the rows as they stand in the files.
//!
//! Invariants: one enforcer per profession and secrecy; the model's effect is the one that this version of casbin
//! knows; nothing is evaluated from strings of a charter (no `eval`), nothing is cached, nothing can switch the enforcer
//! off, no adapter reads or writes rules. Not on the request path: the matrix answers requests.

use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi};

use super::error::{CharterError, Finding};
use super::policy::{Claim, Rule, Scope};
use super::reader::{Dialect, rows};
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

const MODEL: &str = include_str!("../../policies/model.conf");
const CLAIMS: &str = include_str!("../../policies/claims.csv");
/// THREAT: another spacing of the same expression makes casbin panic, another expression can allow by default.
const EFFECT: &str = "some(where (p.eft == allow)) && !some(where (p.eft == deny))";

/// Refuses a model that this program would not understand, before casbin sees it.
///
/// # Errors
/// Where it departs.
pub(crate) fn check_model(model: &str) -> Result<(), Finding> {
    let mut effects = 0_u32;
    let mut line = 0_u32;
    for text in model.lines() {
        line = line.saturating_add(1);
        let code = text.split('#').next().unwrap_or("");
        if code.contains("eval") {
            return Err(Finding::new(
                "model.conf",
                line,
                1,
                "`eval` est interdit : une charte n'est pas un programme",
            ));
        }
        if let Some(effect) = code.strip_prefix("e = ") {
            effects = effects.saturating_add(1);
            if effect.trim_end() != EFFECT {
                return Err(Finding::new(
                    "model.conf",
                    line,
                    5,
                    format!("effet inconnu : écrivez exactement {EFFECT}"),
                ));
            }
        }
    }
    if effects == 1 {
        Ok(())
    } else {
        Err(Finding::new("model.conf", line.max(1), 1, "il faut un effet et un seul (`e = …`)"))
    }
}

/// The rows of `claims.csv`.
fn grouping() -> Result<Vec<Vec<String>>, CharterError> {
    let mut out: Vec<Vec<String>> = Vec::new();
    for row in rows("claims.csv", CLAIMS.as_bytes(), Dialect::POLICY)? {
        let values: Vec<String> = row.fields.iter().map(|f| f.text.clone()).collect();
        match values.as_slice() {
            [g, claim, cell] if g == "g" => out.push(vec![claim.clone(), cell.clone()]),
            _ => return Err(Finding::new("claims.csv", row.line, 1, "attendu : g, base, case").into()),
        }
    }
    Ok(out)
}

/// The enforcer of one recipient.
pub(crate) struct Engine {
    enforcer: Enforcer,
    profession: Profession,
    secrecy: Secrecy,
}

fn broken(error: casbin::Error) -> CharterError {
    CharterError::Engine(Box::new(error))
}

impl Engine {
    /// Loads the rules that can concern this recipient.
    ///
    /// # Errors
    /// When casbin refuses them, or keeps fewer than it was given.
    pub(crate) async fn load(
        rules: &[Rule],
        profession: Profession,
        secrecy: Secrecy,
    ) -> Result<Self, CharterError> {
        check_model(MODEL)?;
        let lost = || CharterError::RulesLost(format!("{profession}, {secrecy}"));
        let values: Vec<Vec<String>> = rules
            .iter()
            .filter(|rule| match rule.scope {
                Scope::Row(p, s) => p == profession && s == secrecy,
                Scope::Purpose(_) => true,
            })
            .map(Rule::values)
            .collect();
        // THREAT: an empty policy set can allow.
        if values.is_empty() {
            return Err(lost());
        }
        let model = DefaultModel::from_str(MODEL).await.map_err(broken)?;
        let mut enforcer = Enforcer::new(model, ()).await.map_err(broken)?;
        let given = values.len();
        if !enforcer.add_policies(values).await.map_err(broken)?
            || !enforcer.add_grouping_policies(grouping()?).await.map_err(broken)?
            || enforcer.get_policy().len() != given
        {
            return Err(lost());
        }
        Ok(Self { enforcer, profession, secrecy })
    }

    /// What casbin says.
    ///
    /// # Errors
    /// When it cannot say.
    pub(crate) fn allows(
        &self,
        category: Category,
        purpose: Purpose,
        claim: Claim,
    ) -> Result<bool, CharterError> {
        self.enforcer
            .enforce((
                self.profession.code(),
                self.secrecy.code(),
                category.code(),
                purpose.code(),
                claim.code(),
            ))
            .map_err(broken)
    }
}

/// Runs a publication to its end; casbin is asynchronous and nothing else here is. On a thread of its own: a caller may
/// stand inside a runtime already, and a panic of the engine must refuse the publication, not end the process.
pub(crate) fn block_on<T: Send>(
    work: impl Future<Output = Result<T, CharterError>> + Send,
) -> Result<T, CharterError> {
    let run = || {
        tokio::runtime::Builder::new_current_thread().build().map_err(CharterError::Runtime)?.block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|_| Err(CharterError::Runtime(std::io::Error::other("the policy engine panicked"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_one_this_version_understands_and_any_other_spacing_is_refused() {
        assert_eq!(check_model(MODEL), Ok(()));
        for wrong in [
            MODEL.replace("== allow)) &&", "==allow)) &&"),
            MODEL.replace("e = some", "e = !some"),
            MODEL.replace("&& g(r.claim, p.cell)", "&& eval(p.cell)"),
            MODEL.replace("e = some", "f = some"),
        ] {
            assert!(check_model(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_empty_set_is_never_loaded() {
        let loaded = block_on(Engine::load(&[], Profession::Teacher, Secrecy::NotBound));
        assert!(matches!(loaded, Err(CharterError::RulesLost(_))));
    }
}
