using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks;

/// <summary>Benchmarks that belong together and make one report.</summary>
internal abstract class Suite
{
    /// <summary>What the command line calls it.</summary>
    public abstract string Name { get; }

    public abstract string Description { get; }

    /// <summary>The rows, in the order of the report.</summary>
    public abstract IReadOnlyList<Row> Rows { get; }

    /// <summary>What it compares with, and in which version.</summary>
    public virtual IEnumerable<(string Name, string Value)> Peers => [];
}

/// <summary>One row of a suite: it measures one thing and answers one figure or several (for two body sizes, or two peers).</summary>
/// <param name="Id">The begin of its figures' ids.</param>
/// <param name="Measure">Does the measuring.</param>
internal sealed record Row(string Id, Func<Run, IEnumerable<Figure>> Measure);

/// <summary>What a row may use.</summary>
/// <param name="Quick">Cut down the sizes: the whole suite stays below a minute.</param>
/// <param name="Scratch">Where files go.</param>
/// <param name="Fixtures">What several rows share.</param>
/// <param name="Only">The id, or its begin, that was asked for; null: all.</param>
/// <param name="KawaTransport">True when silos and clients are to use <see cref="KawaTransportExtensions.UseKawaTransport"/>.</param>
internal sealed record Run(bool Quick, Scratch Scratch, Fixtures Fixtures, string? Only, bool KawaTransport)
{
    /// <summary>False for figures nobody asked for, so that a row can spare their work.</summary>
    public bool Wants(string id) =>
        Only is null || id.StartsWith(Only, StringComparison.OrdinalIgnoreCase) || Only.StartsWith(id, StringComparison.OrdinalIgnoreCase);

    /// <summary>How long one round of a rate is measured.</summary>
    public TimeSpan RoundTime => Quick ? TimeSpan.FromMilliseconds(400) : TimeSpan.FromSeconds(2);

    public int Pick(int quick, int full) => Quick ? quick : full;
}
