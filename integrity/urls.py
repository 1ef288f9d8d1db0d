"""What a site includes: `path("integrity/", include("integrity.urls"))`."""

from django.urls import path

from integrity import views

app_name = "integrity"
urlpatterns = [
    path("metrics/", views.metrics, name="metrics"),
    path("health/", views.health, name="health"),
    path("status/", views.status, name="status"),
    path("stats/", views.stats, name="stats"),
    path("migrate/", views.migrate, name="migrate"),
    path("migrate/<int:pk>/", views.job, name="job"),
]
