namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>A directory for one test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string FullName { get; } = Directory.CreateTempSubdirectory("kawa-").FullName;

    public void Dispose() => Directory.Delete(FullName, recursive: true);
}
