using System.Globalization;

namespace KawaOrleans.Benchmarks.Reporting;

/// <summary>What a value counts, and how it is written.</summary>
internal enum Unit
{
    /// <summary>How many times as much as the other side.</summary>
    Times,

    /// <summary>A share of the other side's time, written as a fraction.</summary>
    Share,

    /// <summary>Per second.</summary>
    PerSecond,

    /// <summary>Bytes in a second.</summary>
    BytesPerSecond,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>Bytes, written in MiB.</summary>
    Mebibytes,

    /// <summary>Bytes in a second, written in GiB.</summary>
    GibibytesPerSecond,

    /// <summary>Seconds, written in what suits them.</summary>
    Seconds,

    /// <summary>A number of events.</summary>
    Events,
}

/// <summary>Writes values.</summary>
internal static class UnitText
{
    public static string Write(this Unit unit, double value) => unit switch
    {
        Unit.Times => Text($"{value:0.00}×"),
        Unit.Share => value > 0 ? Text($"1/{1 / value:0.0}") : "0",
        Unit.PerSecond => PerSecond(value),
        Unit.BytesPerSecond => Text($"{value / 1e9:0.00} GB/s"),
        Unit.Bytes => Text($"{value:0.##} B"),
        Unit.Mebibytes => Text($"{value / (1L << 20):0.#} MiB"),
        Unit.GibibytesPerSecond => Text($"{value / (1L << 30):0.00} GiB/s"),
        Unit.Seconds => Seconds(value),
        _ => Text($"{value:0.#}"),
    };

    public static string PerSecond(double value) => value switch
    {
        >= 1e6 => Text($"{value / 1e6:0.00} M/s"),
        >= 1e3 => Text($"{value / 1e3:0.0} k/s"),
        _ => Text($"{value:0.0} /s"),
    };

    public static string Seconds(double seconds) => Time(TimeSpan.FromSeconds(seconds));

    public static string Time(TimeSpan time) => time.TotalSeconds >= 1 ? Text($"{time.TotalSeconds:0.00} s")
        : time.TotalMilliseconds >= 1 ? Text($"{time.TotalMilliseconds:0.00} ms")
        : Text($"{time.TotalMicroseconds:0.0} µs");

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
