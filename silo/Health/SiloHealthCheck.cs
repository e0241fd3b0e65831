using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Runtime;

namespace KawaOrleans.Silo.Health;

/// <summary>Healthy while the silo takes calls: not while it starts, joins or drains.</summary>
internal sealed class SiloHealthCheck(ISiloStatusOracle silo) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var status = silo.CurrentStatus;
        return Task.FromResult(status == SiloStatus.Active
            ? HealthCheckResult.Healthy($"{silo.SiloName} is active.")
            : HealthCheckResult.Unhealthy($"{silo.SiloName} is {status}."));
    }
}
