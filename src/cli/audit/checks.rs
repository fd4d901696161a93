//! `relais audit receipt | replay | reconcile`: one record, every decision, all the data, checked.
//!
//! INVARIANT: nothing is written; the exit code is 0 only when everything holds, and each thing that does not is named.
//! A receipt is checked without any database. Replaying and reconciling read one snapshot, page by page.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use chrono::NaiveDate;

use super::{LogOptions, STEP, judge, keys_of};
use crate::audit::replay::{Difference, Period, replay as replayed};
use crate::audit::{LeafBody, Policy, TlogProof};
use crate::clock::{Timestamp, plus_days};
use crate::domain::day::french_date;
use crate::service::charter_versions;
use crate::store::log::LogFile;
use crate::store::reconcile::Divergence;

/// A receipt, and whom to trust.
#[derive(Debug, clap::Args)]
pub struct ReceiptArguments {
    /// Le reçu
    #[arg(value_name = "FICHIER")]
    file: PathBuf,
    /// La clé publique du journal que vous gardez ; option répétable quand elle a changé
    #[arg(long, value_name = "CLÉ", required_unless_present = "policy")]
    vkey: Vec<String>,
    /// Les témoins exigés (c2sp.org/tlog-policy) : le point de contrôle du reçu doit les avoir
    #[arg(long, value_name = "FICHIER")]
    policy: Option<PathBuf>,
    /// La trace, quand le reçu ne la contient pas
    #[arg(long, value_name = "FICHIER")]
    record: Option<PathBuf>,
}

/// Which decisions, and how to tell.
#[derive(Debug, clap::Args)]
pub struct ReplayArguments {
    /// Premier jour, à Paris (AAAA-MM-JJ)
    #[arg(long, value_name = "JOUR")]
    from: Option<NaiveDate>,
    /// Dernier jour, à Paris (AAAA-MM-JJ)
    #[arg(long, value_name = "JOUR")]
    to: Option<NaiveDate>,
    /// Des lignes lisibles par une machine, au lieu de phrases
    #[arg(long)]
    json: bool,
}

impl ReplayArguments {
    fn period(&self) -> Period {
        let after = |day| plus_days(day, 1).map_or(Timestamp::MAX, Timestamp::paris_midnight);
        Period { from: self.from.map(Timestamp::paris_midnight), until: self.to.map(after) }
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| {
        format!("`{}` ne peut pas être lu : vérifiez le chemin et les droits", file.display())
    })
}

/// Tells how far one is, every so often; progress that cannot be shown stops nothing.
fn telling<'a>(progress: &'a mut dyn Write) -> impl FnMut(u64) + 'a {
    let mut told = 0_u64;
    move |done| {
        if done >= told.saturating_add(STEP) {
            told = done;
            drop(writeln!(progress, "{done} traces lues…"));
        }
    }
}

pub(super) fn receipt(asked: &ReceiptArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let given = keys_of(&asked.vkey)?;
    let policy = match &asked.policy {
        Some(file) => Some(Policy::parse(&read(file)?)?),
        None => None,
    };
    // Without a key of one's own, the policy names the log.
    let keys = match &policy {
        Some(policy) => policy.keys(&given)?,
        None => given,
    };
    let text = String::from_utf8(read(&asked.file)?).context("le reçu n'est pas du texte")?;
    let beside = asked.record.as_deref().map(read).transpose()?;
    let verdict = TlogProof::parse(&text).and_then(|receipt| {
        // One of the names whose keys were given: a log has another after a declared loss.
        let origin = receipt.checkpoint().claims().origin().to_owned();
        let (size, body) = match &beside {
            // A record cut out of an export ends like a line; a record never does.
            Some(bytes) => {
                let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                (receipt.verify(body, &origin, &keys)?.size(), body.to_vec())
            }
            None => {
                let (checkpoint, body) = receipt.verify_carried(&origin, &keys)?;
                (checkpoint.size(), body.to_vec())
            }
        };
        Ok((receipt, size, body, origin))
    });
    let (receipt, size, body, origin) = match verdict {
        Ok(held) => held,
        Err(error) => {
            writeln!(out, "Le reçu ne tient pas : {error}.")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let index = receipt.index();
    let seen = policy.map(|policy| judge(&policy, Some(receipt.checkpoint().clone()), &keys)).transpose();
    let seen = match seen {
        Ok(seen) => seen,
        Err(why) => {
            writeln!(out, "Le reçu ne suffit pas : les témoins exigés manquent ({why}).")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    writeln!(out, "Le reçu tient : c'est la trace n° {index} du journal {origin},")?;
    writeln!(out, "attestée par un point de contrôle de {size} traces.")?;
    match seen.as_deref() {
        None => {}
        Some([]) => writeln!(out, "Témoins : cette politique n'en exige aucun.")?,
        Some(names) => writeln!(out, "Témoins : {}.", names.join(", "))?,
    }
    let text = String::from_utf8_lossy(&body);
    match LeafBody::parse(&text) {
        Ok(read) => writeln!(
            out,
            "{} : {}, {}, {}.",
            french_date(read.at.paris_day()),
            read.action.french(),
            read.resource.french(),
            read.decision.french()
        )?,
        Err(_) => writeln!(out, "Son contenu est d'une version de Relais que ce programme ne lit pas.")?,
    }
    writeln!(out, "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn sentence(index: i64, difference: &Difference) -> String {
    let mut said = format!("Trace n° {index} : {}", difference.mismatch.french());
    if let Some(hash) = &difference.charter {
        said.push_str(&format!(" (empreinte {hash})"));
    }
    if let Some(facts) = &difference.facts {
        let columns = facts.columns().map(|(name, code)| format!("{name}={code}"));
        said.push_str(&format!("\n  faits : {}", columns.join(", ")));
    }
    if let Some(recorded) = &difference.recorded {
        said.push_str(&format!("\n  enregistré : {recorded}"));
    }
    if let Some(now) = &difference.now {
        said.push_str(&format!("\n  rejoué : {now}"));
    }
    said
}

fn json_of(index: i64, difference: &Difference) -> serde_json::Value {
    serde_json::json!({
        "record": index,
        "mismatch": difference.mismatch.code(),
        "facts": difference.facts,
        "recorded": difference.recorded.as_ref().map(ToString::to_string),
        "replayed": difference.now.as_ref().map(ToString::to_string),
        "charter": difference.charter,
    })
}

pub(super) fn replay(
    log: &mut LogFile,
    asked: &ReplayArguments,
    out: &mut dyn Write,
    progress: &mut dyn Write,
) -> Result<ExitCode> {
    let mut versions = charter_versions(&log.charters()?);
    let mut written = Ok(());
    let mut tell = |index: i64, difference: Difference| {
        let line =
            if asked.json { json_of(index, &difference).to_string() } else { sentence(index, &difference) };
        if written.is_ok() {
            written = writeln!(out, "{line}");
        }
    };
    let count = replayed(log, &mut versions, asked.period(), &mut tell, &mut telling(progress))?;
    written?;
    if asked.json {
        let sum = serde_json::json!({
            "equal": count.differences == 0,
            "records": count.records,
            "decisions": count.decisions,
            "plain": count.plain,
            "beside": count.beside,
            "without_body": count.without_body,
            "differences": count.differences,
        });
        writeln!(out, "{sum}")?;
    } else if count.differences == 0 {
        writeln!(out, "Toutes les décisions rejouées donnent la même réponse.")?;
    } else {
        writeln!(out, "Différences : {}.", count.differences)?;
    }
    if !asked.json {
        writeln!(
            out,
            "Traces : {}. Décisions rejugées sur leurs faits : {}. Sans faits de charte : {}.",
            count.records, count.decisions, count.plain
        )?;
        if count.beside > 0 {
            writeln!(
                out,
                "Dont {} au sujet de quelqu'un d'autre, sous la transition voisine de la version citée.",
                count.beside
            )?;
        }
        if count.without_body > 0 {
            writeln!(out, "Sans contenu, donc non rejugées : {}.", count.without_body)?;
        }
    }
    Ok(if count.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn reconcile(
    options: &LogOptions,
    data: &Path,
    json: bool,
    out: &mut dyn Write,
    progress: &mut dyn Write,
) -> Result<ExitCode> {
    let mut log = options.open(data)?;
    let kind = log.instance_value("kind")?.unwrap_or_default();
    let keyring = options.keyring(data, &kind)?.ok_or_else(|| {
        anyhow!("comparer les données au journal demande la clé maîtresse : donnez --kek-file")
    })?;
    let mut log = log.with_details(&keyring)?;
    let mut written = Ok(());
    let mut tell = |divergence: Divergence| {
        let line = if json {
            serde_json::json!({
                "record": divergence.record,
                "discord": divergence.discord.code(),
                "rows": divergence.rows.iter().map(|r| serde_json::json!([r.table, r.id, r.version])).collect::<Vec<_>>(),
            })
            .to_string()
        } else {
            divergence.to_string()
        };
        if written.is_ok() {
            written = writeln!(out, "{line}");
        }
    };
    let sum = log.reconcile(&mut tell, &mut telling(progress))?;
    written?;
    let holds = sum.divergences == 0;
    if json {
        let sum = serde_json::json!({
            "holds": holds, "records": sum.records, "digests": sum.digests, "rows": sum.rows,
            "erased": sum.erased, "replaced": sum.replaced, "closed": sum.closed, "divergences": sum.divergences,
        });
        writeln!(out, "{sum}")?;
        return Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if holds {
        writeln!(out, "Les données sont celles que le journal dit avoir écrites.")?;
    } else {
        writeln!(
            out,
            "Désaccords : {}. Ne touchez à rien et prévenez le responsable du traitement.",
            sum.divergences
        )?;
    }
    writeln!(
        out,
        "Écritures recalculées : {}, sur {} traces ; lignes : {}.",
        sum.digests, sum.records, sum.rows
    )?;
    writeln!(
        out,
        "Hors de portée : {} écritures remplacées depuis ou d'un autre genre, {} sous une clé détruite ; effacées à l'échéance : {}.",
        sum.replaced, sum.closed, sum.erased
    )?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests;
