using KawaOrleans.Server.Protocol;
using Orleans.Runtime;

namespace KawaOrleans.Server.Logs;

/// <summary>A silo's way to a log's chain: through the directory grain, so that changers rarely collide; by itself when that does
/// not answer soon. Both at once are harmless.</summary>
internal sealed class ChainSource(IGrainFactory grains, ChainChanger changer, TimeProvider time)
{
    private static readonly TimeSpan DirectoryTimeout = TimeSpan.FromMilliseconds(500);

    public Task<Chain> Read(string logName) => Ask(
        () => Directory(logName).GetChain(), () => changer.Read(logName, CancellationToken.None));

    public Task<Chain> OpenWriteSegment(string logName, Guid? after, int batchBytes) => Ask(
        () => Directory(logName).OpenWriteSegment(after, batchBytes),
        () => changer.OpenWriteSegment(logName, after, batchBytes, CancellationToken.None));

    /// <summary>The same by this silo, for the node that writes the segment before: nobody else is likely to.</summary>
    public Task<Chain> OpenWriteSegmentHere(string logName, Guid after, int batchBytes, Guid? nextId) =>
        Task.Run(() => changer.OpenWriteSegment(logName, after, batchBytes, nextId, CancellationToken.None));

    private async Task<Chain> Ask(Func<Task<Chain>> directory, Func<Task<Chain>> here)
    {
        try
        {
            return await directory().WaitAsync(DirectoryTimeout, time);
        }
        catch (Exception e) when (e is TimeoutException or (OrleansException and not KawaException))
        {
            return await Task.Run(here);
        }
    }

    private ISegmentDirectoryGrain Directory(string logName) => grains.GetGrain<ISegmentDirectoryGrain>(logName);
}
