using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace KawaOrleans.Cluster.Tests;

/// <summary>Ends the loop in which a silo's grain directory takes in membership. A silo that dies or fails while it starts does not: the loop then asks a
/// membership that is gone again and again, one processor for each such silo, until the test run ends (Orleans 10.4.2).</summary>
internal sealed class EndOfDirectoryUpdates(IServiceProvider services) : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private CancellationTokenSource? _updates;

    public void Participate(ISiloLifecycle observer)
    {
        var type = typeof(Orleans.Runtime.Silo).Assembly.GetType("Orleans.Runtime.GrainDirectory.LocalGrainDirectory", throwOnError: true)!;
        _updates = (CancellationTokenSource)type.GetField("_membershipUpdatesCancellation", BindingFlags.Instance | BindingFlags.NonPublic)!
            .GetValue(services.GetRequiredService(type))!;
        observer.Subscribe<EndOfDirectoryUpdates>(
            ServiceLifecycleStage.First,
            static _ => Task.CompletedTask,
            _ =>
            {
                Dispose();
                return Task.CompletedTask;
            });
    }

    public void Dispose()
    {
        try
        {
            _updates?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The silo ended it itself.
        }
    }
}
