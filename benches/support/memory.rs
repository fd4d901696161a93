//! The memory of this process, of Linux's `/proc`.

fn line(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kib = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
    kib.trim_start_matches(':').trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1024.0
}

/// Resident now, in MiB; the highest is counted anew from here.
pub fn resident() -> f64 {
    // `5` clears the highest (proc_pid_clear_refs(5)).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    line("VmRSS")
}

/// The highest since [`resident`] was asked, in MiB.
pub fn highest() -> f64 {
    line("VmHWM")
}
