using KawaOrleans.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Orleans.Hosting;

/// <summary>Lets silos and clients move large blocks in large pieces.</summary>
public static class KawaTransportExtensions
{
    /// <summary>Replaces the framework's TCP transport of this silo or client by one that receives and sends in pieces of 64 KiB instead of
    /// 4 KiB. Same bytes on the wire: each silo and client may use it or not. Connection middleware such as TLS stays as it is.
    /// Not used unless called: it takes the place of framework code that has been in use for years, and a busy connection holds some
    /// hundred KiB more. Worth it where logs are read or written by the gigabyte.</summary>
    /// <param name="services">The services of the silo or client, inside <c>UseOrleans</c> or <c>UseOrleansClient</c>: <c>builder.Services</c>.</param>
    /// <exception cref="InvalidOperationException">There is no Orleans silo or client in these services, or its transport cannot be replaced.</exception>
    public static IServiceCollection UseKawaTransport(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        var stock = services.Where(static service => service.IsKeyedService && IsTransport(service.ServiceType)).ToList();
        if (stock.Count == 0)
        {
            throw new InvalidOperationException(
                $"No Orleans transport is registered here: call {nameof(UseKawaTransport)} on the builder's Services inside UseOrleans or UseOrleansClient.");
        }

        services.TryAddSingleton<SocketConnections>();
        foreach (var service in stock)
        {
            // The keys are the framework's own objects; the descriptors show them.
            services.Remove(service);
            services.AddKeyedSingleton(service.ServiceType, service.ServiceKey, static (provider, _) => provider.GetRequiredService<SocketConnections>());
        }

        return services;
    }

    private static bool IsTransport(Type service) => service == typeof(IConnectionFactory) || service == typeof(IConnectionListenerFactory);
}
