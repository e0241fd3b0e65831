namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>How often what happened.</summary>
internal sealed class Incidents
{
    private readonly long[] _counts = new long[Enum.GetValues<Incident>().Length];

    public long this[Incident incident] => _counts[(int)incident];

    /// <summary>Those that never happened.</summary>
    public IEnumerable<Incident> Missing => Enum.GetValues<Incident>().Where(incident => this[incident] == 0);

    public void Count(Incident incident) => _counts[(int)incident]++;

    public void Add(Incidents others)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += others._counts[i];
        }
    }

    public override string ToString() => string.Join(", ", Enum.GetValues<Incident>().Select(incident => $"{incident} {this[incident]}"));
}
