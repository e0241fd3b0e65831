namespace KawaOrleans.Cluster.Tests;

/// <summary>Tests that keep a processor or the disk busy for many seconds: beside them clusters in the same process would answer late.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = "runs alone";
}
