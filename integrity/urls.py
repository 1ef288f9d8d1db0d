"""What a site includes: `path("integrity/", include("integrity.urls"))`."""

from django.urls import path

from integrity import views

app_name = "integrity"
urlpatterns = [path("metrics/", views.metrics, name="metrics")]
