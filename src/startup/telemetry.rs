//! Log lines: ids and stable words, never content (STYLE §3.14).

use tracing::level_filters::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogLevel, Settings};

/// Sends log lines to the standard error from now on. Only the first call of a process counts.
pub fn start(settings: &Settings) {
    let level = match settings.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let lines =
        tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => lines.with_ansi(false).finish().try_init(),
        LogFormat::Json => lines.json().finish().try_init(),
    };
    // A second server in one process (tests) keeps the lines of the first.
    drop(started);
}
