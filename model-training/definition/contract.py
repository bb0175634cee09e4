"""
What goes into the two graphs and what comes out: names, sizes and constants, in one place.

Sizes, throughout: B windows, T history steps, F forecast steps, V metrics, Q quantiles, D hidden.
A step is 15 minutes; the last history step ends now.
"""

METRICS = (
    "cpu_user_pct",
    "cpu_sys_pct",
    "cpu_iowait_pct",
    "cpu_idle_pct",
    "java_cpu_pct",
    "mem_used_pct",
    "swap_used_pct",
    "net_in_mb_s",
    "net_out_mb_s",
    "back_close_wait",
    "front_close_wait",
    "load_average",
)
# Which way a reading gets worse: idle is bad when it is low. Peaks are worst readings.
WORSE = tuple(-1.0 if name == "cpu_idle_pct" else 1.0 for name in METRICS)
QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
PEAK_STEPS = (4, 16, 32)  # the windows of the peaks: 1 h, 4 h, 8 h
PROFILES = 8  # 0 is the unknown profile

V = len(METRICS)
Q = len(QUANTILES)
P = len(PEAK_STEPS)
T = 96
F = 32
D = 32
HEADS = 4
CALENDAR = 5  # sine and cosine of the hour and of the position in the week, known-event flag
STATICS = 6  # ln cores, known, ln GiB, known, ln(1 + minutes since last sample), ln(1 + hours of history)
RECENT = 4  # mean of 5 min, slope per hour, worst reading of the last hour, known flag

TRAINING_BATCH = 64

WINDOW_INPUTS = {
    "past": (T, V, 2),
    "pastKnown": (T, V),
    "seasonalPast": (T, V),
    "seasonalPastKnown": (T, V),
    "seasonal": (F, V),
    "seasonalKnown": (F, V),
    "yesterday": (F, V),
    "yesterdayKnown": (F, V),
    "baseline": (F, V),
    "recent": (V, RECENT),
    "calendarPast": (T, CALENDAR),
    "calendarFuture": (F, CALENDAR),
    "statics": (STATICS,),
    "profile": (),
}
TRUTH_INPUTS = {
    "truth": (F, V),
    "truthKnown": (F, V),
    "peakTruth": (P, V),
    "peakKnown": (P, V),
}
FORECAST_OUTPUTS = {
    "quantiles": (F, V, Q),
    "peaks": (P, V, Q),
    "selectionPast": (V + 1,),
    "selectionFuture": (V + 1,),
    "attention": (T,),
}
INTEGER_INPUTS = {"profile"}
