//! `relais jobs list | run`: what the server does without anybody asking, listed, or done now by hand.
//!
//! Works beside a running server: a job done twice does nothing the second time.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, anyhow};

use super::instance::Instance;
use crate::config::Settings;
use crate::jobs::{JOBS, Job, Report, find};
use crate::startup::french;

/// The commands about jobs.
#[derive(Debug, clap::Subcommand)]
pub enum JobsCommand {
    /// Liste les tâches et dit ce que chacune fait
    #[command(after_help = "Exemple : relais jobs list --json")]
    List {
        /// Pour une machine
        #[arg(long)]
        json: bool,
    },
    /// Lance une tâche, ou toutes ; le serveur peut tourner
    #[command(
        after_help = "Exemple : relais --data /srv/relais jobs run\n          relais --data /srv/relais jobs run stays\n\nCode de sortie 0 seulement si tout ce qui était dû est fait."
    )]
    Run {
        /// Nom de la tâche [défaut : toutes]
        name: Option<String>,
    },
}

fn chosen(name: Option<&str>) -> Result<Vec<&'static Job>> {
    match name {
        None => Ok(JOBS.iter().collect()),
        Some(name) => {
            let known: Vec<&str> = JOBS.iter().map(|job| job.name).collect();
            let job = find(name)
                .ok_or_else(|| anyhow!("aucune tâche ne s'appelle `{name}` : {}", known.join(", ")))?;
            Ok(vec![job])
        }
    }
}

fn list(json: bool, out: &mut dyn Write) -> Result<()> {
    if json {
        let all: Vec<serde_json::Value> = JOBS
            .iter()
            .map(|j| serde_json::json!({"name": j.name, "summary": j.summary, "every_minutes": j.every_minutes}))
            .collect();
        writeln!(out, "{}", serde_json::Value::from(all))?;
        return Ok(());
    }
    for job in JOBS {
        writeln!(out, "{:<14} {} (toutes les {} min)", job.name, job.summary, job.every_minutes)?;
    }
    Ok(())
}

/// Runs one command.
///
/// # Errors
/// When the instance cannot be opened. A job that fails is told, and is a failing exit code.
pub fn run(
    command: &JobsCommand,
    settings: impl Fn() -> Result<Settings>,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let name = match command {
        JobsCommand::List { json } => {
            list(*json, out)?;
            return Ok(ExitCode::SUCCESS);
        }
        JobsCommand::Run { name } => name.as_deref(),
    };
    let jobs = chosen(name)?;
    let instance = Instance::open(&settings()?)?;
    let mut all_done = true;
    for job in jobs {
        match (job.run)(&instance.app, instance.app.clock().now()) {
            Ok(Report { done: 0, left: 0 }) => writeln!(out, "{} : rien à faire.", job.name)?,
            Ok(Report { done, left: 0 }) => writeln!(out, "{} : {done} fait(s).", job.name)?,
            Ok(Report { done, left }) => {
                all_done = false;
                writeln!(out, "{} : {done} fait(s), {left} à reprendre : relancez la tâche.", job.name)?;
            }
            Err(error) => {
                all_done = false;
                writeln!(
                    out,
                    "{} : échec ({}). Ce qui n'a pas pu être fait reste à faire ; relancez la tâche.",
                    job.name,
                    french::service(&error)
                )?;
            }
        }
    }
    Ok(if all_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_job_is_refused_with_the_names_that_exist() {
        let error = chosen(Some("stay")).err().unwrap().to_string();
        assert!(error.contains("`stay`") && error.contains("stays"), "{error}");
        assert_eq!(chosen(None).unwrap().len(), JOBS.len());
        assert_eq!(chosen(Some("stays")).unwrap().len(), 1);
    }

    #[test]
    fn the_list_names_every_job() {
        for json in [false, true] {
            let mut out = Vec::new();
            list(json, &mut out).unwrap();
            let said = String::from_utf8(out).unwrap();
            assert!(JOBS.iter().all(|job| said.contains(job.name)), "{said}");
        }
    }
}
