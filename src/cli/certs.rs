//! `relais certs`: makes a local authority with a server certificate, or looks at the operator's own.
//!
//! Not done here: the making and the checking themselves (`crypto::certificates`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use crate::clock::{Chance, Clock, Timestamp};
use crate::crypto::certificates::{
    self, CA_FILE, CERT_FILE, CheckReport, CheckRequest, Finding, KEY_FILE, LOCAL_NAMES,
};

/// What `relais certs` can do.
#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// Crée une autorité locale et un certificat de serveur pour cette machine
    #[command(
        after_help = "Exemple : relais certs make --name pre.ville.example\n\nLa clé de l'autorité n'est jamais écrite : pour renouveler, on recrée le tout (--renew)."
    )]
    Make {
        /// Nom ou adresse en plus de localhost, 127.0.0.1 et ::1 (option répétable)
        #[arg(long = "name", value_name = "NOM")]
        names: Vec<String>,
        /// Remplace ce qui existe : les postes devront faire confiance à la nouvelle autorité
        #[arg(long)]
        renew: bool,
    },
    /// Vérifie un certificat : chaîne, noms, dates, clé et droits du fichier de clé
    #[command(
        after_help = "Exemple : relais certs check --cert chaine.pem --key serveur.key --name pre.ville.example\n\nSans --cert ni --key, vérifie ceux du dossier de données."
    )]
    Check {
        /// Chaîne au format PEM, le certificat du serveur en premier
        #[arg(long, value_name = "FICHIER", requires = "key")]
        cert: Option<PathBuf>,
        /// Clé privée au format PEM
        #[arg(long, value_name = "FICHIER", requires = "cert")]
        key: Option<PathBuf>,
        /// Autorité à laquelle la chaîne doit mener
        #[arg(long, value_name = "FICHIER")]
        ca: Option<PathBuf>,
        /// Nom que les postes utiliseront (option répétable ; à défaut, ceux du certificat)
        #[arg(long = "name", value_name = "NOM")]
        names: Vec<String>,
    },
}

/// Where an instance keeps its certificates.
#[must_use]
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("certs")
}

/// Runs the command; the exit code is 0 only when nothing is wrong.
///
/// # Errors
/// When certificates cannot be made, or nothing can be written to `out`.
pub fn run(
    command: CertsCommand,
    data_dir: &Path,
    clock: &dyn Clock,
    chance: &dyn Chance,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        CertsCommand::Make { names, renew } => {
            let folder = folder(data_dir);
            let issued = certificates::issue(&names, clock.now(), chance)?;
            certificates::write(&issued, &folder, renew)?;
            let all: Vec<&str> =
                LOCAL_NAMES.iter().copied().chain(names.iter().map(String::as_str)).collect();
            writeln!(out, "Autorité à faire accepter aux postes : {}", folder.join(CA_FILE).display())?;
            writeln!(out, "Certificat : {}", folder.join(CERT_FILE).display())?;
            writeln!(out, "Clé (0600) : {}", folder.join(KEY_FILE).display())?;
            writeln!(
                out,
                "Valable jusqu'au {} pour {}.",
                issued.not_after.format("%d/%m/%Y"),
                all.join(", ")
            )?;
            writeln!(out, "La clé de l'autorité n'a pas été écrite : elle ne signera plus rien.")?;
            Ok(ExitCode::SUCCESS)
        }
        CertsCommand::Check { cert, key, ca, names } => {
            let folder = folder(data_dir);
            let own = cert.is_none();
            let cert = cert.unwrap_or_else(|| folder.join(CERT_FILE));
            let key = key.unwrap_or_else(|| folder.join(KEY_FILE));
            // The folder's own authority goes with the folder's own certificate, and with no other.
            let ca = ca.or_else(|| Some(folder.join(CA_FILE)).filter(|path| own && path.exists()));
            let request = CheckRequest { cert: &cert, key: &key, ca: ca.as_deref(), names: &names };
            print_report(&certificates::check(&request, clock.now()), out)
        }
    }
}

fn print_report(report: &CheckReport, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if !report.names.is_empty() {
        writeln!(out, "Noms : {}", report.names.join(", "))?;
    }
    if let Some(until) = report.until {
        writeln!(out, "Fin de validité : {}", day(until))?;
    }
    for finding in &report.findings {
        let mark = if finding.is_fatal() { "ERREUR" } else { "Attention" };
        writeln!(out, "{mark} : {}", phrase(finding))?;
    }
    if report.findings.iter().any(Finding::is_fatal) {
        return Ok(ExitCode::FAILURE);
    }
    writeln!(out, "Le certificat peut servir.")?;
    Ok(ExitCode::SUCCESS)
}

fn day(at: Timestamp) -> String {
    at.paris_day().format("%d/%m/%Y").to_string()
}

fn phrase(finding: &Finding) -> String {
    match finding {
        Finding::Unreadable { path, why } => {
            format!("`{}` ne peut pas être lu ({why}) : vérifiez le chemin et les droits.", path.display())
        }
        Finding::KeyMode { path, mode } => format!(
            "la clé `{0}` a les droits {mode:04o} : d'autres peuvent la lire. Lancez `chmod 600 {0}` ; si elle a pu être lue, changez-la.",
            path.display()
        ),
        Finding::NoCertificate { path } => {
            format!("`{}` ne contient pas de certificat PEM : donnez la chaîne complète.", path.display())
        }
        Finding::NoKey { path } => format!(
            "`{}` ne contient pas de clé PEM sans mot de passe : convertissez-la avec `openssl pkey`.",
            path.display()
        ),
        Finding::KeyMismatch => {
            "la clé n'est pas celle du premier certificat de la chaîne : vérifiez l'ordre de la chaîne et le fichier de clé.".to_owned()
        }
        Finding::NoNames => {
            "le certificat ne porte aucun nom (subjectAltName) : aucun navigateur ne l'acceptera, demandez-en un autre.".to_owned()
        }
        Finding::NotForName { name } => {
            format!("le certificat n'est pas fait pour `{name}` : demandez-en un qui porte ce nom.")
        }
        Finding::OutOfDate { from, until } => format!(
            "le certificat vaut du {} au {} : renouvelez-le, ou mettez la machine à l'heure.",
            day(*from),
            day(*until)
        ),
        Finding::EndsSoon { days, until } => {
            format!("le certificat finit le {} (dans {days} jours) : renouvelez-le.", day(*until))
        }
        Finding::Chain { why } => format!(
            "la chaîne ne mène pas à l'autorité ({why}) : ajoutez les certificats intermédiaires, ou donnez l'autorité avec `--ca`."
        ),
        Finding::ChainUnchecked => {
            "la chaîne n'a pas été vérifiée, faute d'autorité : donnez-la avec `--ca`.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::crypto::SystemChance;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn call(command: CertsCommand, data: &Path, at: Timestamp) -> anyhow::Result<(bool, String)> {
        let mut out = Vec::new();
        let code = run(command, data, &ManualClock::new(at), &SystemChance::new(), &mut out)?;
        Ok((code == ExitCode::SUCCESS, String::from_utf8(out).unwrap()))
    }

    fn make(renew: bool) -> CertsCommand {
        CertsCommand::Make { names: vec!["pre.ville.example".to_owned()], renew }
    }

    fn check_own(names: &[&str]) -> CertsCommand {
        let names = names.iter().map(|n| (*n).to_owned()).collect();
        CertsCommand::Check { cert: None, key: None, ca: None, names }
    }

    #[test]
    fn made_certificates_pass_their_own_check_until_they_end() {
        let data = tempfile::tempdir().unwrap();
        let (ok, text) = call(make(false), data.path(), NOW).unwrap();
        assert!(ok && text.contains("ca.pem") && text.contains("pre.ville.example"), "{text}");
        assert!(!text.contains("PRIVATE KEY"));
        let (ok, text) = call(check_own(&["pre.ville.example", "localhost"]), data.path(), NOW).unwrap();
        assert!(ok && text.contains("peut servir"), "{text}");
        let (ok, text) = call(check_own(&["autre.example"]), data.path(), NOW).unwrap();
        assert!(!ok && text.contains("`autre.example`"), "{text}");
        let (ok, text) = call(check_own(&[]), data.path(), NOW.plus_seconds(390 * 86_400)).unwrap();
        assert!(ok && text.contains("Attention"), "{text}");
        let (ok, text) = call(check_own(&[]), data.path(), NOW.plus_seconds(500 * 86_400)).unwrap();
        assert!(!ok && text.contains("renouvelez"), "{text}");
    }

    #[test]
    fn nothing_is_replaced_unless_asked() {
        let data = tempfile::tempdir().unwrap();
        call(make(false), data.path(), NOW).unwrap();
        let refused = call(make(false), data.path(), NOW).unwrap_err().to_string();
        assert!(refused.contains("--renew"), "{refused}");
        assert!(call(make(true), data.path(), NOW).unwrap().0);
        let (ok, text) = call(check_own(&[]), tempfile::tempdir().unwrap().path(), NOW).unwrap();
        assert!(!ok && text.contains("ne peut pas être lu"), "{text}");
    }
}
