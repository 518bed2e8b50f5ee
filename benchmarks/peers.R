# R's did and fixest as the Python workers are run: load the frame, warm up, measure once per line on the input.
# Rscript --vanilla peers.R PACKAGE TASK FRAME.csv WARM.csv COLUMNS
# Memory is the kernel's high-water mark, set back before each call (Linux only).

given <- commandArgs(trailingOnly = TRUE)
package <- given[1]
task <- given[2]
columns <- strsplit(given[5], ",")[[1]]
threads <- as.integer(Sys.getenv("OMP_NUM_THREADS", "2"))

read <- function(path) {
  if (requireNamespace("data.table", quietly = TRUE)) {
    data.table::setDTthreads(threads)
    return(as.data.frame(data.table::fread(path, select = columns)))
  }
  utils::read.csv(path)[columns]
}

line <- function(estimate, error, name) {
  kept <- is.finite(estimate) & is.finite(error) & error > 0
  rows <- sprintf("\"%s\": [%.17g, %.17g]", name[kept], estimate[kept], error[kept])
  paste0("{", paste(rows, collapse = ", "), "}")
}

group_time <- function(formula = NULL, draws = 0) function(frame) {
  boot <- draws > 0
  effects <- did::att_gt(
    yname = "y", tname = "year", idname = "id", gname = "g", xformla = formula, data = frame,
    control_group = "nevertreated", bstrap = boot, cband = boot, biters = max(draws, 1), print_details = FALSE
  )
  list(effects, did::aggte(effects, type = "dynamic"), did::aggte(effects, type = "simple"))
}

read_group_time <- function(found) {
  effects <- found[[1]]
  dynamic <- found[[2]]
  simple <- found[[3]]
  line(
    c(effects$att, dynamic$att.egt, simple$overall.att),
    c(effects$se, dynamic$se.egt, simple$overall.se),
    c(sprintf("ATT(%d, %d)", as.integer(effects$group), as.integer(effects$t)),
      sprintf("event time %d", as.integer(dynamic$egt)), "simple")
  )
}

two_way <- function(frame) fixest::feols(y ~ treat | id + year, frame, cluster = ~id, nthreads = threads)
events <- function(frame) fixest::feols(y ~ i(event, ref = -1) | id + year, frame, cluster = ~id, nthreads = threads)
read_two_way <- function(found) line(coef(found), fixest::se(found), "treated")
read_events <- function(found) line(coef(found), fixest::se(found), sub("event::", "event time ", names(coef(found))))

jobs <- list(
  "R did" = list(
    cs = list(run = group_time(), read = read_group_time),
    dr = list(run = group_time(~ x1 + x2 + x3), read = read_group_time),
    bands = list(run = group_time(~ x1 + x2 + x3, 999), read = read_group_time)
  ),
  "R fixest" = list(
    twfe = list(run = two_way, read = read_two_way),
    event = list(run = events, read = read_events)
  )
)

resident <- function(name) {
  lines <- tryCatch(readLines("/proc/self/status"), error = function(e) character(), warning = function(w) character())
  found <- grep(paste0("^", name, ":"), lines, value = TRUE)
  if (length(found)) as.numeric(gsub("[^0-9]", "", found[1])) * 1024 else NA
}

peak_set_back <- function() {
  done <- tryCatch({ cat("5", file = "/proc/self/clear_refs"); TRUE }, error = function(e) FALSE, warning = function(w) FALSE)
  if (done) resident("VmRSS") else NA
}

say <- function(text) {
  writeLines(text, answers)
  flush(answers)
}

answers <- stdout()
job <- jobs[[package]][[task]]
frame <- read(given[3])
warm <- read(given[4])
invisible(capture.output(suppressMessages(suppressWarnings(job$read(job$run(warm))))))
say(sprintf("{\"ready\": true, \"frame_bytes\": %.0f}", as.numeric(object.size(frame))))
asked <- file("stdin", "r")
while (length(readLines(asked, n = 1)) == 1) {
  invisible(gc())
  before <- peak_set_back()
  time <- system.time(
    invisible(capture.output(found <- suppressMessages(suppressWarnings(job$run(frame)))))
  )
  peak <- resident("VmHWM")
  memory <- if (is.na(before) || is.na(peak)) "null" else sprintf("%.0f", max(peak - before, 0))
  say(sprintf(
    "{\"wall\": %.6f, \"cpu\": %.6f, \"memory\": %s, \"numbers\": %s}",
    time[["elapsed"]], sum(time[c("user.self", "sys.self", "user.child", "sys.child")], na.rm = TRUE), memory, job$read(found)
  ))
  rm(found)
}
