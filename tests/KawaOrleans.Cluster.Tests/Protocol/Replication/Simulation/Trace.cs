namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>What happened in a run, a line each. Kept only when a seed is replayed.</summary>
internal sealed class Trace
{
    private readonly List<string> _lines = [];

    public int Turn { get; set; }

    public void Say(string line) => _lines.Add($"{Turn,5}  {line}");

    /// <summary>The last so many lines.</summary>
    public string Last(int lines) => string.Join(Environment.NewLine, _lines.TakeLast(lines));
}
