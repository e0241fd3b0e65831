using System.Collections.Concurrent;
using Orleans.Runtime;

namespace KawaOrleans.Server.Nodes;

/// <summary>The silos that left a call of this one unanswered and have answered none since. A dead silo is called many times before the cluster
/// declares it dead; only the first call waits for it as for others. One that is only slow answers in the end, and has its time again.</summary>
internal sealed class SilentSilos
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(150);

    // One entry for each silo that was ever silent, until it is heard.
    private readonly ConcurrentDictionary<SiloAddress, bool> _silent = new();

    public bool Contains(SiloAddress silo) => _silent.ContainsKey(silo);

    /// <summary>How long a call to it may take of what such a call may take.</summary>
    public TimeSpan Limit(SiloAddress silo, TimeSpan limit) => Contains(silo) && limit > Patience ? Patience : limit;

    public void Heard(SiloAddress silo) => _silent.TryRemove(silo, out _);

    /// <summary>Nobody waits for this answer any more; if it comes all the same, the silo is silent no longer.</summary>
    public async Task Unanswered(SiloAddress silo, Task? answer)
    {
        _silent[silo] = true;
        if (answer is not null)
        {
            await answer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (answer.IsCompletedSuccessfully)
            {
                Heard(silo);
            }
        }
    }
}
