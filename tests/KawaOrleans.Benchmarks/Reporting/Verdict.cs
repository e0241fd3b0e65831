namespace KawaOrleans.Benchmarks.Reporting;

/// <summary>How a figure did.</summary>
internal enum Verdict
{
    /// <summary>Nothing is asked of it: it explains others.</summary>
    Information,

    /// <summary>The aim is reached.</summary>
    Aim,

    /// <summary>What it must reach is reached, the aim (if any) is not.</summary>
    Reached,

    /// <summary>What it must reach is not reached.</summary>
    Missed,

    /// <summary>There is no value; the figure says why. Never counted as reached.</summary>
    NotMeasured,
}
